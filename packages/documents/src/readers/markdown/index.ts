import { extname } from "node:path";
import type { Parents, Root, RootContent } from "mdast";
import { readText } from "../../bytes/read-text.js";
import type { Page, ReadContext, Reader } from "../reader.js";
import { resolveCode } from "./code-blocks.js";
import { resolveContainers } from "./containers.js";
import { readFrontMatter } from "./front-matter.js";
import { anchorHeadings } from "./headings.js";
import { resolveHtml } from "./html-in-markdown.js";
import { Includes } from "./includes.js";
import { resolveIndented } from "./indented-containers.js";
import { looksLikeMdx, resolveMdx } from "./mdx.js";
import { Myst } from "./myst.js";
import { parseMarkdown, parseMdx } from "./parse-markdown.js";
import { resolveShortcodes } from "./shortcodes.js";

export interface MarkdownFile {
  /** For messages. */
  path: string;
  /** What the name of the file says: `.mdx` is MDX, others only when they look so. */
  mdx: boolean;
  /** The text is a copy of a page that was published otherwise (a row of JSONL): ids of its headings are not made up. */
  detached?: boolean;
}

/** What a text has that MyST gives a meaning. */
const MYST = /^[ \t]*(?:`{3,}|~{3,}|:{3,})\s*\{[A-Za-z]|^\([\w:. -]+\)=\s*$|\{[A-Za-z][\w:-]*\}`/m;

/** Text with comments and ids of headings blanked out, since MDX takes braces and `<!--` for programs. Lines and columns stay. */
function forMdx(text: string, root: Root): string {
  const blanks: [number, number][] = [];
  const walk = (node: Root | RootContent): void => {
    const start = node.position?.start.offset ?? 0;
    const end = node.position?.end.offset ?? 0;
    if (node.type === "html") {
      for (const comment of text.slice(start, end).matchAll(/<!--[\s\S]*?(?:-->|$)/g))
        blanks.push([start + comment.index, start + comment.index + comment[0].length]);
    }
    if (node.type === "heading") {
      const id = /\{#[\w:.-]+\}\s*$/.exec(text.slice(start, end));
      if (id) blanks.push([start + id.index, end]);
    }
    if ("children" in node) for (const child of node.children) walk(child as RootContent);
  };
  walk(root);
  let made = "";
  let from = 0;
  for (const [start, end] of blanks) {
    if (start < from) continue;
    made += text.slice(from, start) + text.slice(start, end).replace(/[^\n]/g, " ");
    from = end;
  }
  return made + text.slice(from);
}

/** Ids that headings of a Markdown tree give themselves, by line. */
function headingIds(text: string, root: Root): Map<number, string> {
  const ids = new Map<number, string>();
  for (const node of root.children) {
    if (node.type !== "heading" || node.position === undefined) continue;
    const source = text.slice(node.position.start.offset, node.position.end.offset);
    const id = /\{#([\w:.-]+)\}\s*$/.exec(source)?.[1];
    if (id) ids.set(node.position.start.line, id);
  }
  return ids;
}

class MarkdownPage {
  constructor(
    private readonly file: MarkdownFile,
    private readonly context: ReadContext,
  ) {}

  /** A text as blocks with all dialects resolved; `base` is the included file that it comes from. */
  async blocks(text: string, base?: string, depth = 0): Promise<RootContent[]> {
    const { turn, leaveOut } = this.context;
    let root = await parseMarkdown(text, turn);
    const includes = new Includes(
      this.context,
      (inner, path, at) => this.blocks(readFrontMatter(inner).body, path, at),
      base,
      depth,
    );
    if (this.file.mdx || looksLikeMdx(root)) root = await this.mdx(text, root, base, depth);
    await includes.resolve(root);
    if (/^[ \t]*(?:!!!|\?\?\?|===)/m.test(text)) {
      await resolveIndented(root, text.split("\n"), (inner) => this.blocks(inner, base, depth));
    }
    if (MYST.test(text)) {
      await new Myst({ leaveOut, parse: (inner) => this.blocks(inner, base, depth) }).resolve(root);
    }
    resolveContainers(root);
    resolveShortcodes(root, leaveOut);
    resolveHtml(root, this.file.path, leaveOut);
    resolveBlocksOfCode(root);
    return root.children;
  }

  /** The text read again as MDX; when it is none, as Markdown, without the lines that only a program reads. */
  private async mdx(text: string, markdown: Root, base: string | undefined, depth: number): Promise<Root> {
    const ids = headingIds(text, markdown);
    let root: Root;
    try {
      root = await parseMdx(forMdx(text, markdown));
    } catch (error) {
      const { message, line } = error as { message: string; line?: number };
      if (this.file.mdx) this.context.warn(`is not valid MDX (${message}); it is read as Markdown.`, line);
      this.withoutPrograms(markdown);
      return markdown;
    }
    for (const node of root.children) {
      const id = node.type === "heading" ? ids.get(node.position?.start.line ?? 0) : undefined;
      if (id) node.data = { ...node.data, anchor: id };
    }
    const taken = async (path: string, line: number | undefined) => {
      const file = depth < 8 ? await this.context.include(path, base) : undefined;
      if (file === undefined) this.context.warn(`takes in ${path}, which is not there; its text is missing.`, line);
      return file;
    };
    await resolveMdx(
      root,
      this.context,
      async (path, line) => {
        const file = await taken(path, line);
        return file === undefined ? [] : this.blocks(readFrontMatter(file.text).body, file.path, depth + 1);
      },
      async (path, line) => (await taken(path, line))?.text,
    );
    return root;
  }

  private withoutPrograms(root: Root): void {
    root.children = root.children.filter((node) => {
      if (node.type !== "paragraph") return true;
      const start = node.children[0]?.type === "text" ? node.children[0].value : "";
      const program = /^(?:import\s[\s\S]*?\sfrom\s+["']|import\s+["']|export\s+(?:const|default|function)\s)/.test(
        start,
      );
      if (program) this.context.leaveOut("imports, exports and expressions", start, node.position?.start.line);
      return !program;
    });
  }
}

/** Each block of code by the name of its language, after the title that it is shown with. */
function resolveBlocksOfCode(parent: Parents): void {
  const made: RootContent[] = [];
  for (const child of parent.children as RootContent[]) {
    if (child.type === "code") {
      made.push(...resolveCode(child));
      continue;
    }
    if ("children" in child && child.type !== "paragraph" && child.type !== "heading" && child.type !== "table")
      resolveBlocksOfCode(child as Parents);
    made.push(child);
  }
  parent.children = made as typeof parent.children;
}

const textIn = (value: unknown): string | undefined =>
  typeof value === "string" && value.trim() !== "" ? value.trim() : undefined;

/** A Markdown text as a page. Title: the front matter's, else (by whoever makes passages) the first heading's. */
export async function readMarkdown(text: string, file: MarkdownFile, context: ReadContext): Promise<Page> {
  const { values, body } = readFrontMatter(text);
  const children = await new MarkdownPage(file, context).blocks(body);
  const tree: Root = { type: "root", children };
  anchorHeadings(tree, !file.detached);
  const title = textIn(values.title);
  const description = textIn(values.description);
  return {
    tree,
    ...(title ? { title } : {}),
    metadata: { ...(description ? { description } : {}) },
  };
}

export const markdown: Reader = {
  name: "Markdown",
  extensions: [".md", ".markdown", ".mdx", ".mdown", ".qmd", ".rmd"],
  async *read({ path }, context) {
    const text = await readText(path, context);
    yield await readMarkdown(text, { path, mdx: extname(path).toLowerCase() === ".mdx" }, context);
  },
};
