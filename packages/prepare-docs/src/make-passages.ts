import { createDocument, type Document, documentKey } from "@rag-ft/core";
import { type ChunkOptions, chunkText } from "./chunk/chunk-text.js";
import type { RawDocument } from "./read/raw-document.js";

export interface PassageOptions extends ChunkOptions {
  /** Passages of fewer words are dropped. */
  minWords: number;
}

/** What is known of the passages made so far; grows. */
export interface PassagesSoFar {
  /** `documentKey` of every passage. */
  seen: Set<string>;
  /** The last `seq_num` of each source. */
  numbers: Map<string, number>;
}

/** The passages of one page and how many were dropped. */
export interface Passages {
  passages: Document[];
  short: number;
  duplicates: number;
}

/**
 * Cuts a page into passages. `seq_num` counts the passages of a source from 1 on, over all pages that share it (rows of a
 * JSONL file may be sections of one page). A passage that was made before from the same source is a duplicate.
 */
export function makePassages(document: RawDocument, options: PassageOptions, soFar: PassagesSoFar): Passages {
  const made: Passages = { passages: [], short: 0, duplicates: 0 };
  for (const content of chunkText(document.text, options)) {
    const words = content.split(/\s+/).filter((word) => word !== "").length;
    if (words < options.minWords) {
      made.short++;
      continue;
    }
    const { source } = document.metadata;
    const number = (soFar.numbers.get(source) ?? 0) + 1;
    const passage = createDocument(content, { ...document.metadata, seq_num: number });
    const key = documentKey(passage);
    if (soFar.seen.has(key)) {
      made.duplicates++;
      continue;
    }
    soFar.seen.add(key);
    soFar.numbers.set(source, number);
    made.passages.push(passage);
  }
  return made;
}
