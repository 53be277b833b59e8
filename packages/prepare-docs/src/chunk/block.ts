/** What a stretch of text is to a reader. */
export type BlockKind = "heading" | "paragraph" | "item" | "code" | "table";

/** A stretch of text, from `start` to `end` (offsets; the final newline is not part of it). */
export interface Block {
  kind: BlockKind;
  start: number;
  end: number;
  /** Headings: 1 to 6. Items, and paragraphs in them: depth of nesting, from 1. Otherwise 0. */
  level: number;
  /** Fenced code: the line that closes it, written again where a long block is cut. */
  fence?: string;
}
