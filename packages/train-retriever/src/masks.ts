import type { Document } from "@rag-ft/core";
import type { RetrievalExample } from "@rag-ft/retrieval";

/** Whether one of two passages contains the other, but for some of its words. */
export type IsNear = (gold: Document, passage: Document) => boolean;

/** Whether a passage that is not gold for a question is likely to answer it. */
export type IsLikely = (example: RetrievalExample, passage: Document) => boolean;

/** What else is no negative of a question. */
export interface Masks {
  isNear?: IsNear | undefined;
  isLikely?: IsLikely | undefined;
}
