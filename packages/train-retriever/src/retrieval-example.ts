import type { AskedQuestion, Document } from "@rag-ft/core";

/** One question with the passages that answer it. */
export interface RetrievalExample extends AskedQuestion {
  gold_docs: Document[];
  hard_neg_docs: Document[];
}
