import { number } from "@rag-ft/core";
import { z } from "zod";

export const RETRIEVAL_KINDS = ["dense", "bm25", "hybrid"] as const;
export type RetrievalKind = (typeof RETRIEVAL_KINDS)[number];

/** How passages are found: settings of every stage that retrieves. */
export const retrievalSettings = {
  retrieval: z
    .enum(RETRIEVAL_KINDS)
    .default("dense")
    .describe("How passages are found: by the encoder's vectors, by words (BM25), or by both scores together"),
  bm25_weight: number((n) => n.min(0))
    .optional()
    .describe(
      "hybrid: weight of the BM25 score beside the vectors', both standardised; default: as chosen by train-retriever (hybrid.json beside the model), else 0.5",
    ),
};

export interface RetrievalSettings {
  retrieval: RetrievalKind;
  bm25_weight?: number | undefined;
}
