import type { Document } from "@rag-ft/core";
import { CONTAINED_ABOVE, overlap, wordCount } from "@rag-ft/text";
import { holdsPassage, isFragment } from "./near-passages.js";

/** Passages searched beyond those wanted where the gold one and its like are left out: so many rarely all hold the answer. */
export const SPARE_PASSAGES = 16;

/** A shorter answer's words stand in most passages. */
const TELLING_WORDS = 5;

/** Whether more than 80 % of the answer's words stand in a passage: it may hold the answer in its own way. */
function mayHoldAnswer({ page_content }: Document, answer: string): boolean {
  return wordCount(answer) >= TELLING_WORDS && overlap(page_content, answer) > CONTAINED_ABOVE;
}

/**
 * Passages from which a question cannot be answered as its gold passages answer it: neither one of these, nor a near-duplicate (more than 80 % of the
 * words, either way), nor one with more than 80 % of the gold answer's words.
 */
export function withoutGold(retrieved: readonly Document[], gold: readonly Document[], goldAnswer = ""): Document[] {
  return retrieved.filter(
    (passage) =>
      !mayHoldAnswer(passage, goldAnswer) &&
      gold.every((one) => !holdsPassage(passage, one) && !isFragment(passage, one)),
  );
}
