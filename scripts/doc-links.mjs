// Which relative links of the documentation lead nowhere: to no file, or to no heading of a page; and what of it the site could not show.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import GithubSlugger from "github-slugger";
import { fromMarkdown } from "mdast-util-from-markdown";
import { toString as textOf } from "mdast-util-to-string";
import { globSync } from "tinyglobby";
import { visit } from "unist-util-visit";

/** What people read. */
export const PAGES = ["README.md", "docs/**/*.md", "skills/**/*.md", "bench/README.md", "data/models/README.md"];

/** The anchors of a page's headings, as GitHub and the site name them. */
function anchorsOf(tree) {
  const slugger = new GithubSlugger();
  const anchors = new Set();
  visit(tree, "heading", (heading) => void anchors.add(slugger.slug(textOf(heading))));
  return anchors;
}

/**
 * The dead links of pages, one sentence each.
 *
 * @param {string} root
 * @param {readonly string[]} pages Paths below root.
 * @returns {string[]}
 */
export function deadLinks(root, pages) {
  const trees = new Map();
  const treeOf = (path) => {
    if (!trees.has(path)) trees.set(path, fromMarkdown(readFileSync(path, "utf8")));
    return trees.get(path);
  };
  const problems = [];
  for (const page of pages) {
    const path = join(root, page);
    visit(treeOf(path), ["link", "image", "definition"], ({ url, position }) => {
      if (/^[a-z]+:/.test(url)) return;
      const [file, anchor] = decodeURI(url).split("#");
      const target = file === "" ? path : join(dirname(path), file);
      const place = `${page}:${position.start.line}: ${url}`;
      if (relative(root, target).startsWith("..")) problems.push(`${place} leaves the repository.`);
      else if (!existsSync(target)) problems.push(`${place}: there is no ${relative(root, target)}.`);
      else if (anchor && target.endsWith(".md") && !anchorsOf(treeOf(target)).has(anchor))
        problems.push(`${place}: ${relative(root, target)} has no heading "${anchor}".`);
    });
  }
  return problems;
}

/**
 * What the site would take for parts of its own, one sentence each: HTML, and text in double braces. In code both are text.
 *
 * @param {string} root
 * @param {readonly string[]} pages Paths below root.
 * @returns {string[]}
 */
export function takenForTemplates(root, pages) {
  const problems = [];
  for (const page of pages) {
    visit(fromMarkdown(readFileSync(join(root, page), "utf8")), ["html", "text"], ({ type, value, position }) => {
      if (type === "html" || value.includes("{{"))
        problems.push(`${page}:${position.start.line}: ${value.slice(0, 60)}: put it in code.`);
    });
  }
  return problems;
}

/** The pages of this repository, with the problems of their links. */
export function ownPages() {
  const root = fileURLToPath(new URL("..", import.meta.url));
  return { root, pages: globSync(PAGES, { cwd: root }).sort() };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { root, pages } = ownPages();
  const problems = [...deadLinks(root, pages), ...takenForTemplates(root, pages)];
  for (const problem of problems) console.error(problem);
  console.log(`${pages.length} pages, ${problems.length} problems`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
