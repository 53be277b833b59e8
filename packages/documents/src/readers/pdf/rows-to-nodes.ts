// Rows as blocks: headings by the outline and by the size of the font, code by fonts of one width, tables where cells stand below each
// other, items by their marks, and the rest as paragraphs.
import type { Code, Heading, List, ListItem, Paragraph, RootContent, Table } from "mdast";
import type { PageRows } from "./page-frame.js";
import type { Row } from "./page-rows.js";

export interface TextFacts {
  /** Size of most of the text. */
  bodySize: number;
  /** Depth of the headings of a size, rounded. */
  depths: ReadonlyMap<number, number>;
  /** Depth of chapters by their titles, without blanks. */
  outline: ReadonlyMap<string, number>;
  /** All words of the file. */
  words: ReadonlySet<string>;
}

const BULLET = /^(?:[•‣◦▪▸●○■–—∗·]|[-*](?=\s))\s*/;
const NUMBERED = /^(?:\(?(\d{1,3})[.)]|\(?[a-z][.)])\s+(?=\S)/;
const LARGER = 1.12;
const MOST_HEADING = 200;
const squeeze = (text: string): string => text.replace(/\s+/g, "").toLowerCase();
const sizeOf = (size: number): number => Math.round(size * 2) / 2;

/** What is the same for all pages of a file. */
export function factsOf(pages: readonly PageRows[], outline: readonly [string, number][]): TextFacts {
  const sizes = new Map<number, number>();
  const words = new Set<string>();
  for (const { rows } of pages)
    for (const { size, text } of rows) {
      sizes.set(sizeOf(size), (sizes.get(sizeOf(size)) ?? 0) + text.length);
      for (const [word] of text.matchAll(/[\p{L}\p{N}-]+/gu)) words.add(word.toLowerCase());
    }
  const bodySize = [...sizes].reduce((most, entry) => (entry[1] > most[1] ? entry : most), [0, 0])[0];
  const larger = [...sizes.keys()].filter((size) => size >= bodySize * LARGER).sort((a, b) => b - a);
  return {
    bodySize,
    depths: new Map(larger.map((size, i) => [size, Math.min(6, i + 1)])),
    outline: new Map(outline.map(([title, depth]) => [squeeze(title), depth])),
    words,
  };
}

/** A hyphen at a line's end is part of the word when the file has the word so, and not when it has it whole. */
function joined(before: string, after: string, words: ReadonlySet<string>): string {
  const head = /([\p{L}\p{N}-]*\p{L})[-\u2010\u00ad]$/u.exec(before);
  const tail = /^\p{Ll}[\p{L}\p{N}]*/u.exec(after);
  if (!head || !tail) return `${before} ${after}`;
  const whole = `${head[1]}${tail[0]}`.toLowerCase();
  const hyphened = `${head[1]}-${tail[0]}`.toLowerCase();
  const keep = !words.has(whole) && words.has(hyphened);
  return `${keep ? before : before.slice(0, -1)}${after}`;
}

function headingDepth(row: Row, facts: TextFacts): number | undefined {
  if (row.text.length > MOST_HEADING || !/\p{L}/u.test(row.text)) return undefined;
  return facts.outline.get(squeeze(row.text)) ?? (row.mono ? undefined : facts.depths.get(sizeOf(row.size)));
}

/** How many rows from one on are a table: as many cells each, which begin at the same places. */
function tableLength(rows: readonly Row[], from: number): number {
  const first = rows[from];
  if (first === undefined || first.cells.length < 2) return 0;
  let length = 1;
  for (let i = from + 1; i < rows.length; i++) {
    const { cells, y, size } = rows[i] as Row;
    const above = rows[i - 1] as Row;
    const aligned =
      cells.length === first.cells.length && cells.every(({ x }, j) => Math.abs(x - (first.cells[j]?.x ?? 0)) < size);
    if (!aligned || above.y - y > size * 4 || above.y <= y) break;
    length++;
  }
  return length >= 3 || (length === 2 && first.cells.length >= 3) ? length : 0;
}

const tableOf = (rows: readonly Row[]): Table => ({
  type: "table",
  children: rows.map(({ cells }) => ({
    type: "tableRow",
    children: cells.map(({ text }) => ({ type: "tableCell", children: [{ type: "text", value: text.trim() }] })),
  })),
});

/** Code with its indentation, which is a place on the page, and with its blank lines. */
function codeOf(rows: readonly Row[]): Code {
  const left = Math.min(...rows.map(({ x }) => x));
  const lines: string[] = [];
  rows.forEach((row, i) => {
    const above = rows[i - 1];
    const leading = row.size * 1.2;
    if (above && above.y - row.y > leading * 1.6) lines.push("");
    let line = "";
    for (const { text, x, end } of row.cells) {
      const letter = (end - x) / Math.max(1, text.length);
      line = line.padEnd(Math.min(200, Math.round((x - left) / Math.max(1, letter)))) + text;
    }
    lines.push(line.trimEnd());
  });
  return { type: "code", value: lines.join("\n") };
}

/** Makes blocks of the rows of one page after the other. */
export class BlockMaker {
  private readonly nodes: RootContent[] = [];
  /** Rows of the paragraph that is being put together, of one size. */
  private open: { text: string; last: Row; left: number; page: number; mark?: string } | undefined;

  constructor(private readonly facts: TextFacts) {}

  add({ number, rows }: PageRows): void {
    const right = rows.reduce((most, { end }) => Math.max(most, end), 0);
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i] as Row;
      const depth = headingDepth(row, this.facts);
      const table = row.mono ? 0 : tableLength(rows, i);
      if (depth !== undefined) this.heading(row, depth, number);
      else if (row.mono) {
        let end = i + 1;
        while (
          rows[end]?.mono &&
          headingDepth(rows[end] as Row, this.facts) === undefined &&
          (rows[end] as Row).y < (rows[end - 1] as Row).y
        )
          end++;
        this.push(codeOf(rows.slice(i, end)), number);
        i = end - 1;
      } else if (table > 0) {
        this.push(tableOf(rows.slice(i, i + table)), number);
        i += table - 1;
      } else this.line(row, number, right);
    }
  }

  finish(): RootContent[] {
    this.close();
    return this.nodes;
  }

  private push(node: RootContent, page: number): void {
    this.close();
    node.data = { ...node.data, page };
    this.nodes.push(node);
  }

  /** A title over two lines is one heading. */
  private heading(row: Row, depth: number, page: number): void {
    const last = this.open === undefined ? this.nodes.at(-1) : undefined;
    const text = row.text.replace(/\s+/g, " ").trim();
    if (last?.type === "heading" && last.data?.page === page && this.lastHeading) {
      const { y, size } = this.lastHeading;
      const [child] = last.children;
      if (
        sizeOf(size) === sizeOf(row.size) &&
        y - row.y > 0 &&
        y - row.y < size * 1.6 &&
        child?.type === "text" &&
        !this.facts.outline.has(squeeze(text))
      ) {
        child.value = joined(child.value, text, this.facts.words);
        this.lastHeading = row;
        return;
      }
    }
    this.push({ type: "heading", depth: depth as Heading["depth"], children: [{ type: "text", value: text }] }, page);
    this.lastHeading = row;
  }
  private lastHeading: Row | undefined;

  private line(row: Row, page: number, right: number): void {
    const text = row.text.replace(/\s+/g, " ").trim();
    const mark = (BULLET.exec(text) ?? NUMBERED.exec(text))?.[0];
    if (this.open && mark === undefined && this.continues(row, page, right)) {
      this.open.text = joined(this.open.text, text, this.facts.words);
      this.open.left = Math.min(this.open.left, row.x);
      this.open.last = row;
      return;
    }
    this.close();
    this.open = { text, last: row, left: row.x, page, ...(mark === undefined ? {} : { mark }) };
  }

  private continues(row: Row, page: number, right: number): boolean {
    const open = this.open;
    if (open === undefined || sizeOf(open.last.size) !== sizeOf(row.size)) return false;
    const ended = /[.:!?)]["”’]?$/.test(open.text);
    const step = open.last.y - row.y;
    // The next page or column: a sentence goes on there.
    if (open.page !== page || step <= 0) return !ended && /^[\p{Ll}\d(]/u.test(row.text);
    if (step > row.size * 1.65) return false;
    const indented = row.x > open.left + row.size * 0.8 && open.mark === undefined;
    const short = open.last.end < right - (right - open.left) * 0.2;
    return !(ended && (indented || short));
  }

  private close(): void {
    const open = this.open;
    this.open = undefined;
    if (open === undefined) return;
    const bullet = open.mark !== undefined && BULLET.test(open.mark);
    const value = bullet ? open.text.replace(BULLET, "") : open.text;
    const paragraph: Paragraph = { type: "paragraph", children: [{ type: "text", value }], data: { page: open.page } };
    if (!bullet) {
      this.nodes.push(paragraph);
      return;
    }
    const item: ListItem = { type: "listItem", spread: false, children: [paragraph] };
    const last = this.nodes.at(-1);
    if (last?.type === "list" && last.data?.page === open.page) last.children.push(item);
    else
      this.nodes.push({
        type: "list",
        ordered: false,
        spread: false,
        children: [item],
        data: { page: open.page },
      } satisfies List);
  }
}
