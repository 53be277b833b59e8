// The text of a tree: what a person would paste. Markdown's marks where they tell something (headings, items, fences, tables), never
// an escape: no parser has to read it again, so nothing needs one. Links are their words, images what they say in a sentence.
import type { Code, FootnoteDefinition, List, ListItem, Nodes, Parents, PhrasingContent, Root, Table } from "mdast";
import { cleanCharacters } from "../bytes/clean-characters.js";
import type { LeaveOut } from "../readers/reader.js";
import type { Block, BlockKind } from "./block.js";
import { isMinified, withoutWordlessRuns } from "./wordless.js";

/** A page as text, and what its parts are. */
export interface Rendered {
  text: string;
  blocks: Block[];
}

type Inline = PhrasingContent;

const WORD = /[\p{L}\p{N}_]/u;
const MARKS = { emphasis: "*", strong: "**", delete: "~~" } as const;

/** Whether an inline image stands among words, so that what it says is part of a sentence. */
function isAmongWords(siblings: readonly Nodes[]): boolean {
  return siblings.some((node) => ("value" in node && /[\p{L}\p{N}]/u.test(node.value)) || hasWords(node));
}

function hasWords(node: Nodes): boolean {
  if (node.type === "image" || node.type === "imageReference") return false;
  if ("children" in node) return isAmongWords(node.children);
  return (node.type === "text" || node.type === "inlineCode") && /[\p{L}\p{N}]/u.test(node.value);
}

/** First and last line of a node in the file: its own, else (a wrapper that a converter made) those of what is in it. */
function linesOfNode(node: Nodes): readonly [number, number] | undefined {
  if (node.position) return [node.position.start.line, node.position.end.line];
  if (!("children" in node)) return undefined;
  const inner = (node.children as Nodes[]).map(linesOfNode).filter((lines) => lines !== undefined);
  const [first] = inner;
  return first && [first[0], (inner.at(-1) ?? first)[1]];
}

class Renderer {
  private readonly parts: string[] = [];
  private length = 0;
  /** What stands between the last block and the next. */
  private gap = "";
  private last = "";
  private whole: [number, number][] = [];
  private breaks: number[] = [];
  readonly blocks: Block[] = [];
  private readonly path: { depth: number; title: string }[] = [];
  private headings: readonly string[] = [];
  /** Of the top-level node that is being rendered. */
  private origin: Pick<Block, "page" | "cell"> = {};
  private anchor: string | undefined;

  constructor(private readonly leaveOut: LeaveOut) {}

  get text(): string {
    return this.parts.join("");
  }

  private put(text: string): void {
    if (text === "") return;
    this.parts.push(text);
    this.length += text.length;
    this.last = text;
  }

  /** Renders what `write` puts as one block; nothing is left of a block without text. */
  private block(kind: BlockKind, node: Nodes, level: number, prefix: string, write: () => void, fence?: string): void {
    const mark = { parts: this.parts.length, length: this.length, last: this.last };
    this.whole = [];
    this.breaks = [];
    if (this.length > 0) this.put(this.gap || "\n\n");
    const start = this.length;
    this.put(prefix);
    const from = this.length;
    const firstPart = this.parts.length;
    write();
    const written = this.parts.slice(firstPart).join("");
    if (written.trim() === "" || (kind !== "code" && !/[^\s\p{Cf}]/u.test(written))) {
      this.parts.length = mark.parts;
      this.length = mark.length;
      this.last = mark.last;
      return;
    }
    const trimmed = kind === "code" ? written : written.trimEnd();
    if (trimmed.length < written.length) {
      this.parts.length = firstPart;
      this.length = from;
      this.put(trimmed);
    }
    const anchor = node.data?.anchor ?? this.anchor;
    this.anchor = undefined;
    const lines = linesOfNode(node) ?? this.blocks.at(-1)?.lines;
    this.blocks.push({
      kind,
      start,
      end: this.length,
      level,
      whole: this.whole,
      breaks: this.breaks,
      headings: this.headings,
      ...(fence ? { fence } : {}),
      ...(lines ? { lines } : {}),
      ...(anchor ? { anchor } : {}),
      ...this.origin,
    });
    this.gap = "\n\n";
  }

  renderRoot(root: Root): void {
    for (const node of root.children) {
      const { page, cell } = node.data ?? {};
      this.origin = { ...(page === undefined ? {} : { page }), ...(cell === undefined ? {} : { cell }) };
      this.flow(node, 0, "");
    }
  }

  /** @param level - depth of lists around; @param indent - of lines after the first */
  private flow(node: Nodes, level: number, indent: string, prefix = indent): void {
    switch (node.type) {
      case "heading": {
        const title = this.inlineText(node.children).replace(/\s+/g, " ").trim();
        if (title === "") return;
        while (this.path.length > 0 && (this.path.at(-1)?.depth ?? 0) >= node.depth) this.path.pop();
        this.path.push({ depth: node.depth, title: title.replace(/\*\*|`/g, "") });
        this.headings = this.path.map((heading) => heading.title);
        this.block("heading", node, node.depth, `${"#".repeat(node.depth)} `, () => this.put(title));
        return;
      }
      case "paragraph":
        this.block(node.data?.term ? "term" : prefix === indent ? "paragraph" : "item", node, level, prefix, () =>
          this.inline(node.children, indent),
        );
        return;
      case "code":
        this.code(node, level);
        return;
      case "table":
        this.table(node, level);
        return;
      case "list":
        this.list(node, level, indent);
        return;
      case "footnoteDefinition":
        this.footnote(node, level, indent);
        return;
      case "text":
      case "inlineCode":
        this.block("paragraph", node, level, prefix, () => this.inline([node], indent));
        return;
      default:
        if ("children" in node) this.container(node, level, indent, prefix);
    }
  }

  /** A quotation and the like: its children, the first of them after `prefix`. */
  private container(node: Parents, level: number, indent: string, prefix: string): void {
    if (node.data?.anchor) this.anchor = node.data.anchor;
    let first = prefix;
    for (const child of node.children) {
      const before = this.blocks.length;
      this.flow(child, level, indent, first);
      if (this.blocks.length > before) first = indent;
    }
  }

  private list(list: List, level: number, indent: string): void {
    const loose = list.spread || list.children.some((item) => item.spread);
    list.children.forEach((item, i) => {
      const mark = list.ordered ? `${(list.start ?? 1) + i}. ` : "- ";
      const tight = (i > 0 || level > 0) && !loose && this.gap !== "";
      if (tight) this.gap = "\n";
      this.item(item, level + 1, indent, mark, loose);
    });
    this.gap = "\n\n";
  }

  private item(item: ListItem, level: number, indent: string, mark: string, loose: boolean): void {
    const task = typeof item.checked === "boolean" ? `[${item.checked ? "x" : " "}] ` : "";
    const inner = indent + " ".repeat(mark.length);
    if (item.data?.anchor) this.anchor = item.data.anchor;
    let prefix = `${indent}${mark}${task}`;
    for (const child of item.children) {
      const before = this.blocks.length;
      if (!loose && before > 0 && prefix === inner && child.type === "list") this.gap = "\n";
      this.flow(child, level, inner, prefix);
      if (this.blocks.length > before) prefix = inner;
    }
  }

  private footnote(node: FootnoteDefinition, level: number, indent: string): void {
    let prefix = `${indent}[^${node.label ?? node.identifier}]: `;
    for (const child of node.children) {
      const before = this.blocks.length;
      this.flow(child, level, indent, prefix);
      if (this.blocks.length > before) prefix = indent;
    }
  }

  /** Code begins at the line's start within lists too, so that what is pasted runs. */
  private code(node: Code, level: number): void {
    const line = node.position?.start.line;
    if (isMinified(node.value)) {
      this.leaveOut("blocks of minified code", node.value, line);
      return;
    }
    const value = withoutWordlessRuns(cleanCharacters(node.value), this.leaveOut, line)
      .replace(/^(?:[ \t]*\n)+/, "")
      .trimEnd();
    if (value === "") return;
    const longest = Math.max(2, ...(value.match(/^ {0,3}`{3,}/gm) ?? []).map((run) => run.trim().length));
    const fence = "`".repeat(longest + 1);
    this.block("code", node, level, "", () => this.put(`${fence}${node.lang ?? ""}\n${value}\n${fence}`), fence);
  }

  private table(node: Table, level: number): void {
    const rows = node.children.map((row) =>
      row.children.map((cell) => this.inlineText(cell.children).replace(/\s+/g, " ").trim()),
    );
    const columns = Math.max(0, ...rows.map((row) => row.length));
    if (columns === 0 || rows.every((row) => row.every((cell) => cell === ""))) return;
    const line = (cells: readonly string[]): string =>
      `| ${Array.from({ length: columns }, (_, i) => cells[i] ?? "").join(" | ")} |`;
    const [header = [], ...body] = rows.filter((row, i) => i > 0 || row.some((cell) => cell !== ""));
    const delimiter = `|${" --- |".repeat(columns)}`;
    const lines = [line(header), delimiter, ...body.filter((row) => row.some((cell) => cell !== "")).map(line)];
    this.block("table", node, level, "", () => this.put(lines.join("\n")));
  }

  /** Inline content as a text of its own, for titles and cells. */
  private inlineText(nodes: readonly Inline[]): string {
    const inner = new Renderer(this.leaveOut);
    inner.inline(nodes, "");
    return inner.text;
  }

  private inline(nodes: readonly Inline[], indent: string): void {
    const among = nodes.some(({ type }) => type === "image" || type === "imageReference") && isAmongWords(nodes);
    nodes.forEach((node, i) => {
      this.phrase(node, indent, among, nodes[i + 1]);
    });
  }

  private phrase(node: Inline, indent: string, among: boolean, next: Inline | undefined): void {
    switch (node.type) {
      case "text": {
        const text = withoutWordlessRuns(cleanCharacters(node.value), this.leaveOut, node.position?.start.line);
        this.put(text.includes("\n") ? text.replace(/[ \t]*\n[ \t]*/g, `\n${indent}`) : text);
        return;
      }
      case "inlineCode":
        this.spanOfCode(node.value, node.position?.start.line);
        return;
      case "break":
        this.put(`\n${indent}`);
        this.breaks.push(this.length);
        return;
      case "emphasis":
      case "strong":
      case "delete":
        this.marked(node, indent, next);
        return;
      case "link":
      case "linkReference":
        this.keepWhole(() => this.inline(node.children, indent));
        return;
      case "image":
      case "imageReference":
        if (among && node.alt) this.put(cleanCharacters(node.alt));
        else this.leaveOut("images", node.alt ?? "", node.position?.start.line);
        return;
      case "footnoteReference":
        this.put(`[^${node.label ?? node.identifier}]`);
        return;
      default:
        this.inner(node, indent);
    }
  }

  /** Blocks in a line (of a cell of a table) stand apart from each other. */
  private inner(node: Nodes, indent: string): void {
    if (node.type === "code") this.spanOfCode(node.value, node.position?.start.line);
    if (!("children" in node)) return;
    if (this.length > 0 && !/\s$/.test(this.last)) this.put(" ");
    this.inline(node.children as Inline[], indent);
    this.put(" ");
  }

  private spanOfCode(raw: string, line: number | undefined): void {
    const value = withoutWordlessRuns(cleanCharacters(raw), this.leaveOut, line).replace(/\s+/g, " ");
    if (value.trim() === "") return;
    const runs = (value.match(/`+/g) ?? []).map((run) => run.length);
    let size = 1;
    while (runs.includes(size)) size++;
    const fence = "`".repeat(size);
    const pad = /^`|`$/.test(value) ? " " : "";
    this.keepWhole(() => this.put(`${fence}${pad}${value}${pad}${fence}`));
  }

  private keepWhole(write: () => void): void {
    const start = this.length;
    const inside = this.whole.length;
    write();
    if (this.length === start) return;
    this.whole.length = inside; // what is in it goes with it
    this.whole.push([start, this.length]);
  }

  /** Emphasis keeps its marks where they stand apart from words: within one (`f**oo**`) they would cut it in two for a search. */
  private marked(node: Parents & { type: keyof typeof MARKS }, indent: string, next: Inline | undefined): void {
    const mark = MARKS[node.type];
    const before = this.last.at(-1) ?? "";
    const at = this.parts.length;
    const wholeBefore = this.whole.length;
    const breaksBefore = this.breaks.length;
    this.inline(node.children as Inline[], indent);
    const content = this.parts.slice(at).join("");
    const after = next !== undefined && "value" in next ? (next.value[0] ?? "") : "";
    const apart =
      content.trim() === content &&
      content !== "" &&
      !content.includes("\n") &&
      !content.includes(mark[0] as string) &&
      !WORD.test(before) &&
      !WORD.test(after) &&
      before !== mark[0];
    if (!apart) return;
    const shift = mark.length;
    this.parts.splice(at, 0, mark);
    this.length += shift;
    this.put(mark);
    for (const stretch of this.whole.slice(wholeBefore)) {
      stretch[0] += shift;
      stretch[1] += shift;
    }
    for (let i = breaksBefore; i < this.breaks.length; i++) this.breaks[i] = (this.breaks[i] as number) + shift;
  }
}

/** Renders a page. What it leaves out (images that stand alone, text without words) is counted. */
export function render(root: Root, leaveOut: LeaveOut): Rendered {
  const renderer = new Renderer(leaveOut);
  renderer.renderRoot(root);
  return { text: renderer.text, blocks: renderer.blocks };
}
