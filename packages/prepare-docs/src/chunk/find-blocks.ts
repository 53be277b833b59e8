import type { Block } from "./block.js";
import { indentOf, type Line, linesOf } from "./lines.js";

// A scanner of lines rather than a Markdown parser: passages are stretches of the text as it is, so offsets are what is
// needed, and much documentation is Markdown only in part (plain text, reStructuredText directives).

const FENCE = /^\s*(`{3,}|~{3,})/;
const HEADING = /^ {0,3}(#{1,6})(?:\s+\S|\s*$)/;
const SETEXT = /^ {0,3}(=+|-{2,})\s*$/;
const TABLE_DELIMITER = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;
const ITEM = /^\s*(?:[-*+•‣◦]|\d{1,3}[.)]|#\.)\s+\S/;
const DIRECTIVE = /^\s*\.\. .*::/;
/** A target for links that stands before its heading. */
const ANCHOR = /^\s*<a\s+(?:id|name)=[^>]*>\s*(?:<\/a>)?\s*$/i;
const INDENTED_CODE_COLUMNS = 4;

function isBlank(line: Line | undefined): boolean {
  return line === undefined || line.text.trim() === "";
}

function startsTable(line: Line, next: Line | undefined): boolean {
  return line.text.includes("|") && next?.text.includes("|") === true && TABLE_DELIMITER.test(next.text);
}

/** Index of the line after the fenced block that opens at `from`; an unclosed one runs to the end. */
function endOfFence(lines: readonly Line[], from: number, fence: string): number {
  for (let i = from + 1; i < lines.length; i++) {
    const line = lines[i]?.text.trim() ?? "";
    if (line.startsWith(fence) && line.replaceAll(fence[0] ?? "", "") === "") return i + 1;
  }
  return lines.length;
}

/** Index of the line after the indented block at `from`; blank lines inside belong to it. */
function endOfIndented(lines: readonly Line[], from: number): number {
  let end = from + 1;
  for (let i = end; i < lines.length; i++) {
    const line = lines[i];
    if (line === undefined || isBlank(line)) continue;
    if (indentOf(line.text) < INDENTED_CODE_COLUMNS) break;
    end = i + 1;
  }
  return end;
}

/** Cuts a text into headings, paragraphs, list items, code and tables, in order and without overlap; blank lines are between them. */
export function findBlocks(text: string): Block[] {
  const lines = linesOf(text);
  const blocks: Block[] = [];
  /** The paragraph or item that following lines still belong to. */
  let open: Block | undefined;
  /** Indents of the list items around the current line, outermost first. */
  let list: number[] = [];
  let afterDirective = false;

  const add = (block: Block): Block => {
    blocks.push(block);
    return block;
  };
  const addHeading = (start: number, end: number, level: number): void => {
    const before = blocks.at(-1);
    const anchored = before?.kind === "paragraph" && ANCHOR.test(text.slice(before.start, before.end));
    if (anchored) blocks.pop();
    add({ kind: "heading", start: anchored ? before.start : start, end, level });
    open = undefined;
    list = [];
    afterDirective = false;
  };
  const addLines = (kind: Block["kind"], from: number, to: number, fence?: string): void => {
    const first = lines[from];
    const last = lines[to - 1];
    if (first && last) add({ kind, start: first.start, end: last.end, level: 0, ...(fence ? { fence } : {}) });
    open = undefined;
  };

  for (let i = 0; i < lines.length; i++) {
    const line = lines[i];
    if (line === undefined) continue;
    if (isBlank(line)) {
      open = undefined;
      continue;
    }
    const indent = indentOf(line.text);
    const afterBlank = isBlank(lines[i - 1]);
    const fence = FENCE.exec(line.text)?.[1];
    if (fence !== undefined) {
      const end = endOfFence(lines, i, fence);
      addLines("code", i, end, `${" ".repeat(indent)}${fence}`);
      i = end - 1;
      continue;
    }
    const heading = HEADING.exec(line.text)?.[1];
    if (heading !== undefined) {
      addHeading(line.start, line.end, heading.length);
      continue;
    }
    if (startsTable(line, lines[i + 1])) {
      let end = i + 2;
      while (end < lines.length && lines[end]?.text.includes("|")) end++;
      addLines("table", i, end);
      i = end - 1;
      continue;
    }
    if (ITEM.test(line.text)) {
      while (list.length > 0 && (list.at(-1) ?? 0) >= indent) list.pop();
      list.push(indent);
      open = add({ kind: "item", start: line.start, end: line.end, level: list.length });
      continue;
    }
    if (afterBlank && indent === 0) {
      list = [];
      afterDirective = false;
    }
    if (DIRECTIVE.test(line.text)) afterDirective = true;
    if (afterBlank && indent >= INDENTED_CODE_COLUMNS && list.length === 0 && !afterDirective) {
      const end = endOfIndented(lines, i);
      addLines("code", i, end);
      i = end - 1;
      continue;
    }
    const underline = SETEXT.exec(lines[i + 1]?.text ?? "")?.[1];
    if (open === undefined && underline !== undefined && indent < INDENTED_CODE_COLUMNS) {
      addHeading(line.start, lines[i + 1]?.end ?? line.end, underline[0] === "=" ? 1 : 2);
      i++;
      continue;
    }
    if (open) open.end = line.end;
    else open = add({ kind: "paragraph", start: line.start, end: line.end, level: list.length });
  }
  return blocks;
}
