// A site of docs/, a project of its own: what it needs is not among what the workspace installs, checks and takes its quickstart's documents from.
import { posix } from "node:path";
import { fileURLToPath } from "node:url";
import { slug } from "github-slugger";
import { defineConfig } from "vitepress";
import { sidebar } from "./sidebar.mjs";

const docs = fileURLToPath(new URL("../../docs/", import.meta.url));

/** Where the repository can be read, such as https://example.org/rag-ft/blob/main: files beside the guides are linked there. Without it their names are plain text. */
const source = process.env.RAG_FT_SITE_SOURCE?.replace(/\/$/, "");

/** The path in the repository that a link of a page leads to; undefined when it stays within docs/, or leads to another site. */
function outsideOfDocs(href, page) {
  if (/^(?:[a-z]+:|#|\/)/.test(href)) return undefined;
  const path = posix.normalize(posix.join("docs", posix.dirname(page), href));
  return path.startsWith("docs/") ? undefined : path;
}

/** Links that leave docs/ lead to the repository, or are no links. */
function linkOutside(markdown) {
  markdown.core.ruler.push("outside-of-docs", ({ tokens, env }) => {
    for (const { children } of tokens) {
      let unlinked = false;
      for (const token of children ?? []) {
        if (token.type === "link_open") {
          const path = outsideOfDocs(token.attrGet("href") ?? "", env.relativePath);
          unlinked = path !== undefined && source === undefined;
          if (path !== undefined && source !== undefined) token.attrSet("href", `${source}/${path}`);
        } else if (token.type !== "link_close") continue;
        if (unlinked) Object.assign(token, { type: "text", content: "", nesting: 0 });
      }
    }
  });
}

/** Pages lie beside this project, where its packages are not found: what they import is looked for from here. */
const resolvedFromHere = {
  name: "resolved-from-here",
  enforce: "pre",
  resolveId(id, importer, options) {
    if (!/^vue(?:\/|$)/.test(id) || !importer?.startsWith(docs)) return undefined;
    return this.resolve(id, fileURLToPath(import.meta.url), { ...options, skipSelf: true });
  },
};

export default defineConfig({
  title: "rag-ft",
  description: "Turns documentation into a question-answering system of your own",
  lang: "en",
  srcDir: "../docs",
  vite: { plugins: [resolvedFromHere] },
  base: process.env.RAG_FT_SITE_BASE ?? "/",
  markdown: { anchor: { slugify: slug }, config: linkOutside },
  themeConfig: {
    outline: [2, 3],
    search: { provider: "local" },
    sidebar,
  },
});
