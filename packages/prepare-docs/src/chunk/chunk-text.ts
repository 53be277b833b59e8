import { UserError } from "@rag-ft/core";
import { chooseCuts } from "./choose-cuts.js";
import { findUnits } from "./find-units.js";

export interface ChunkOptions {
  /** Most tokens of a passage. */
  chunkSize: number;
  /** Most tokens that a passage repeats of the one before it. */
  chunkOverlap: number;
  /** Tokens of a text by the tokenizer in use, without special tokens. */
  count: (text: string) => number;
}

/**
 * Cuts a text into passages of at most `chunkSize` tokens where a reader would: at headings, then paragraphs, list items,
 * lines, sentences; within a sentence only when it alone is too long. Code blocks and tables stay whole when they fit.
 *
 * 1. The text is cut into units (sentences, lines, code blocks), whose tokens are counted once each.
 * 2. The cuts of least cost are chosen over the sums of these counts.
 * 3. A tokenizer may count a whole differently from its parts, so each passage is counted again; if one is above
 *    `chunkSize`, the text is cut again with a limit that much lower.
 *
 * Every passage is a stretch of the text as it is, except that a cut table repeats its header and a cut code block its fence.
 */
export function chunkText(text: string, options: ChunkOptions): string[] {
  const { chunkSize, chunkOverlap, count } = options;
  let limit = chunkSize;
  while (limit > 0) {
    const passages = chunkWithin(text, limit, chunkOverlap, count);
    const excess = Math.max(0, ...passages.map((passage) => count(passage) - chunkSize));
    if (excess === 0) return passages;
    limit -= excess;
  }
  throw new UserError(`A single character has more than ${chunkSize} tokens; use a larger chunk_size.`);
}

function chunkWithin(text: string, limit: number, overlap: number, count: (text: string) => number): string[] {
  const units = findUnits(text, limit, count);
  const passages = chooseCuts(units, limit, overlap).map(({ start, end }) => {
    const first = units[start];
    const last = units[end - 1];
    if (first === undefined || last === undefined) return "";
    const before = first.block && first.block.first !== start ? first.block.before : "";
    const after = last.block && last.block.last !== end - 1 ? last.block.after : "";
    // Blank lines go, the indent of the first line stays.
    const body = text
      .slice(first.start, last.end)
      .replace(/^(?:[ \t]*\n)+/, "")
      .trimEnd();
    return body === "" ? "" : `${before}${body}${after}`;
  });
  return passages.filter((passage) => passage !== "");
}
