import type { Document, Random } from "@rag-ft/core";
import type { RetrievalExample } from "@rag-ft/retrieval";

/** Says something of a gold passage and another one. */
export type OfGold = (gold: Document, passage: Document) => boolean;

/** What is a positive of a question beside its gold passage. */
export interface Positives {
  /** Whether a passage holds what a gold one says. */
  holds: OfGold;
  /** All that may be drawn for a question. */
  pool(example: RetrievalExample): readonly Document[];
  /** Those that are drawn into a step. */
  draw(example: RetrievalExample, random: Random): readonly Document[];
}

/** What is no negative of a question, and what is a positive. */
export interface Masks {
  /** Whether one of two passages contains the other, but for some of its words. */
  isNear?: OfGold | undefined;
  positives?: Positives | undefined;
}
