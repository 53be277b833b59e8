/** What a stretch of text is to a reader. */
export type BlockKind = "heading" | "term" | "paragraph" | "item" | "code" | "table";

/** A stretch of the text of a page, from `start` to `end` (offsets; the blank lines after it are not part of it). */
export interface Block {
  kind: BlockKind;
  start: number;
  end: number;
  /** Headings: 1 to 6. Items, and what is in them: depth of nesting, from 1. Otherwise 0. */
  level: number;
  /** Code: the line that closes it, written again where a long block is cut. */
  fence?: string;
  /** Stretches within which nobody would cut: links, code in a line. From start to end, in order, apart from each other. */
  whole: readonly (readonly [number, number])[];
  /** Line breaks that the author set, by the offset after each; others only wrap a line. */
  breaks: readonly number[];
  /** First and last line in the file. */
  lines?: readonly [number, number];
  /** Page of a paged format. */
  page?: number;
  /** Cell of a notebook. */
  cell?: number;
  /** Where to link to for this block. */
  anchor?: string;
  /** Headings that the block stands under, the outermost first; a heading's own is the last. */
  headings: readonly string[];
}
