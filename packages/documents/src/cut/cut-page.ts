import { UserError } from "@rag-ft/core";
import type { Block } from "../tree/block.js";
import type { Rendered } from "../tree/render.js";
import { chooseCuts } from "./choose-cuts.js";
import { findUnits } from "./find-units.js";

export interface CutOptions {
  /** Most tokens of a passage. */
  chunkSize: number;
  /** Most tokens that a passage repeats of the one before it. */
  chunkOverlap: number;
  /** Most characters of a passage, for texts of which a tokenizer knows so little that thousands of characters are one token. */
  characters?: number;
  /** Tokens of a text by the tokenizer in use, without special tokens. */
  count: (text: string) => number;
}

/** A passage and where in its page it is. */
export interface Cutting {
  content: string;
  tokens: number;
  /** Headings that it stands under, the outermost first; of several sections, those of the first. */
  headings: readonly string[];
  /** The nearest place that can be linked to at its beginning or before it. */
  anchor?: string;
  page?: number;
  /** Cell of a notebook in which it begins. */
  cell?: number;
  /** First and last line in the file. */
  lines?: readonly [number, number];
}

/**
 * Cuts a page into passages of at most `chunkSize` tokens where a reader would: at headings, then paragraphs, list items,
 * lines, sentences; within a sentence only when it alone is too long, within a link or code in a line only when that is. Code blocks
 * and tables stay whole when they fit.
 *
 * 1. The text is cut into units (sentences, lines, code blocks), whose tokens are counted once each.
 * 2. The cuts of least cost are chosen over the sums of these counts.
 * 3. A tokenizer may count a whole differently from its parts, so each passage is counted again; if one is above
 *    `chunkSize`, the text is cut again with a limit that much lower.
 *
 * Every passage is a stretch of the page's text, except that a cut table repeats its header and a cut code block its fence.
 */
export async function cutPage(
  page: Rendered,
  options: CutOptions,
  turn: () => Promise<void> = async () => {},
): Promise<Cutting[]> {
  const cuttings: Cutting[] = [];
  for (const part of partsOf(page)) {
    await turn();
    for (const cutting of cutPart(part, options)) cuttings.push(cutting);
  }
  return cuttings;
}

/** A page of more characters is cut in parts, at headings where there are any, so that a request to stop is heard between them. */
const PART = 131_072;

/** Stretches of a page; all but the last have near `PART` characters. */
function partsOf({ text, blocks }: Rendered): Rendered[] {
  if (text.length <= 2 * PART) return [{ text, blocks }];
  const parts: Rendered[] = [];
  let from = 0;
  const close = (to: number): void => {
    const start = blocks[from]?.start ?? 0;
    const own = blocks.slice(from, to).map((block) => shifted(block, start));
    parts.push({ text: text.slice(start, blocks[to]?.start ?? text.length), blocks: own });
    from = to;
  };
  for (const [i, block] of blocks.entries()) {
    const length = block.start - (blocks[from]?.start ?? 0);
    if (length > 2 * PART || (length > PART && block.kind === "heading")) close(i);
  }
  close(blocks.length);
  return parts;
}

function shifted(block: Block, by: number): Block {
  return {
    ...block,
    start: block.start - by,
    end: block.end - by,
    whole: block.whole.map(([start, end]) => [start - by, end - by] as const),
    breaks: block.breaks.map((place) => place - by),
  };
}

function cutPart(page: Rendered, options: CutOptions): Cutting[] {
  const { chunkSize, chunkOverlap } = options;
  const characters = options.characters ?? Number.POSITIVE_INFINITY;
  const counted = new Map<string, number>();
  const tokensOf = (text: string): number => {
    let tokens = counted.get(text);
    if (tokens === undefined) {
      tokens = options.count(text);
      counted.set(text, tokens);
    }
    return tokens;
  };
  // A text of as many characters as are allowed has as many tokens as are allowed.
  const size = (text: string): number => Math.max(tokensOf(text), Math.ceil((text.length * chunkSize) / characters));
  let limit = chunkSize;
  while (limit > 0) {
    const cuttings = cutWithin(page, limit, chunkOverlap, size);
    let excess = 0;
    for (const cutting of cuttings) {
      cutting.tokens = tokensOf(cutting.content);
      excess = Math.max(excess, size(cutting.content) - chunkSize);
    }
    if (excess === 0) return cuttings;
    limit -= excess;
  }
  throw new UserError(`A single character has more than ${chunkSize} tokens; use a larger chunk_size.`);
}

function cutWithin(page: Rendered, limit: number, overlap: number, size: (text: string) => number): Cutting[] {
  const { text, blocks } = page;
  const units = findUnits(page, limit, size);
  const anchors: (string | undefined)[] = [];
  for (const [i, { anchor }] of blocks.entries()) anchors.push(anchor ?? anchors[i - 1]);
  return chooseCuts(units, limit, overlap).flatMap(({ start, core, end }): Cutting[] => {
    const first = units[start];
    const last = units[end - 1];
    const own = units[core];
    if (first === undefined || last === undefined || own === undefined) return [];
    const before = first.block && first.block.first !== start ? first.block.before : "";
    const after = last.block && last.block.last !== end - 1 ? last.block.after : "";
    // Blank lines go, the indent of the first line stays.
    const body = text
      .slice(first.start, last.end)
      .replace(/^(?:[ \t]*\n)+/, "")
      .trimEnd();
    if (body === "") return [];
    const block = blocks[own.of];
    const firstLine = blocks[first.of]?.lines?.[0];
    const lastLine = blocks[last.of]?.lines?.[1];
    const anchor = anchors[own.of];
    return [
      {
        content: `${before}${body}${after}`,
        tokens: 0,
        headings: block?.headings ?? [],
        ...(anchor ? { anchor } : {}),
        ...(block?.page === undefined ? {} : { page: block.page }),
        ...(block?.cell === undefined ? {} : { cell: block.cell }),
        ...(firstLine !== undefined && lastLine !== undefined ? { lines: [firstLine, lastLine] as const } : {}),
      },
    ];
  });
}
