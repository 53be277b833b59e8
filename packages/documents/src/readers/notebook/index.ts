import type { Code, Heading, RootContent } from "mdast";
import { z } from "zod";
import { decodeBytes } from "../../bytes/decode-bytes.js";
import { readBytes } from "../../bytes/read-bytes.js";
import { readMarkdown } from "../markdown/index.js";
import { plainTree } from "../plain/index.js";
import type { Page, ReadContext, Reader } from "../reader.js";
import { UnreadableFileError } from "../unreadable-file-error.js";
import { type Cell, type Notebook, notebookSchema } from "./notebook-schema.js";
import { outputBlocks } from "./outputs.js";

/** Pictures in outputs make notebooks large. */
const MOST_BYTES = 64 * 2 ** 20;

/** What Jupyter Book and nbconvert hide by these tags of a cell. */
const HIDDEN = {
  cell: /^(?:remove-cell|remove_cell|hide_cell)$/,
  input: /^(?:remove-input|remove_input)$/,
  output: /^(?:remove-output|remove_output)$/,
};

function parse(text: string, path: string): Notebook {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new UnreadableFileError(
      `${path}: not a notebook: it is not JSON (${(cause as Error).message}). Save it again with Jupyter.`,
      { cause },
    );
  }
  const parsed = notebookSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new UnreadableFileError(
    `${path}: not a notebook (${issue?.path.join(".")}: ${issue?.message}). Save it again with Jupyter.`,
    { cause: z.prettifyError(parsed.error) },
  );
}

/** `%%bash` and the like: the cell is in another language than the notebook. */
const MAGIC = /^\s*%%(bash|sh|html|javascript|js|latex|perl|ruby|sql|R|cython|script\s+(\w+))\b.*$/m;

function codeBlock(source: string, language: string | undefined): Code {
  const magic = /^\s*%%/.test(source) ? MAGIC.exec(source) : null;
  const lang = magic ? (magic[2] ?? magic[1]) : language;
  return { type: "code", value: source, ...(lang ? { lang: lang.toLowerCase() } : {}) };
}

class NotebookPage {
  private readonly language: string | undefined;
  title: string | undefined;

  constructor(
    private readonly notebook: Notebook,
    private readonly path: string,
    private readonly context: ReadContext,
  ) {
    const { kernelspec, language_info: info } = notebook.metadata ?? {};
    this.language = info?.name ?? kernelspec?.language;
    this.title = notebook.metadata?.title;
  }

  async nodes(): Promise<RootContent[]> {
    const cells = this.notebook.cells ?? this.notebook.worksheets?.flatMap((sheet) => sheet.cells) ?? [];
    const nodes: RootContent[] = [];
    for (const [i, cell] of cells.entries()) {
      await this.context.turn();
      for (const node of await this.cell(cell, i + 1)) nodes.push({ ...node, data: { ...node.data, cell: i + 1 } });
    }
    return nodes;
  }

  private async cell(cell: Cell, number: number): Promise<RootContent[]> {
    const { leaveOut } = this.context;
    const source = (cell.source ?? cell.input ?? "").replace(/\r\n?/g, "\n");
    const tags = cell.metadata?.tags ?? [];
    const hidden = (what: RegExp): boolean => tags.some((tag) => what.test(tag));
    if (hidden(HIDDEN.cell)) {
      leaveOut("cells hidden by their tag", source);
      return [];
    }
    if (cell.cell_type === "markdown") return this.markdown(source, number);
    if (cell.cell_type === "heading") {
      const heading: Heading = {
        type: "heading",
        depth: (cell.level ?? 1) as Heading["depth"],
        children: [{ type: "text", value: source }],
      };
      return [heading];
    }
    if (cell.cell_type !== "code") return plainTree(source).children;
    const made: RootContent[] = [];
    if (hidden(HIDDEN.input)) leaveOut("cells hidden by their tag", source);
    else if (source.trim() !== "") made.push(codeBlock(source, this.language));
    if (!hidden(HIDDEN.output)) made.push(...outputBlocks(cell.outputs ?? [], leaveOut));
    return made;
  }

  private async markdown(source: string, number: number): Promise<RootContent[]> {
    const context: ReadContext = {
      ...this.context,
      warn: (message) => this.context.warn(`cell ${number}: ${message}`),
      leaveOut: (kind, text) => this.context.leaveOut(kind, text),
    };
    const page = await readMarkdown(source, { path: this.path, mdx: false, detached: true }, context);
    this.title ??= page.title;
    return page.tree.children;
  }
}

/** Markdown cells as pages, code cells as code, outputs in their first lines of plain text. */
export const notebook: Reader = {
  name: "Jupyter notebook",
  extensions: [".ipynb"],
  async *read({ path }, context) {
    const { text, warning } = decodeBytes(await readBytes(path, MOST_BYTES), false);
    if (warning) context.warn(warning.message, warning.line);
    const page = new NotebookPage(parse(text.replace(/^\uFEFF/, ""), path), path, context);
    const children = await page.nodes();
    const read: Page = { tree: { type: "root", children }, metadata: {}, withoutLines: true };
    yield page.title ? { ...read, title: page.title } : read;
  },
};
