import { createDocument, type Document, documentKey } from "@rag-ft/core";
import { type ChunkOptions, chunkText } from "./chunk/chunk-text.js";
import type { RawDocument } from "./read/raw-document.js";

export interface PassageOptions extends ChunkOptions {
  /** Passages of fewer words are dropped. */
  minWords: number;
}

/** The passages of one page, with `seq_num` from 1 on, and how many were dropped. */
export interface Passages {
  passages: Document[];
  short: number;
  duplicates: number;
}

/**
 * Cuts a page into passages. One that was made before from the same source is a duplicate.
 *
 * @param seen - `documentKey` of every passage so far; grows
 */
export function makePassages(document: RawDocument, options: PassageOptions, seen: Set<string>): Passages {
  const made: Passages = { passages: [], short: 0, duplicates: 0 };
  for (const content of chunkText(document.text, options)) {
    const words = content.split(/\s+/).filter((word) => word !== "").length;
    if (words < options.minWords) {
      made.short++;
      continue;
    }
    const passage = createDocument(content, { ...document.metadata, seq_num: made.passages.length + 1 });
    const key = documentKey(passage);
    if (seen.has(key)) {
      made.duplicates++;
      continue;
    }
    seen.add(key);
    made.passages.push(passage);
  }
  return made;
}
