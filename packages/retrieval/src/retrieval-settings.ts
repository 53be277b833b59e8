import { count, number } from "@rag-ft/core";
import { z } from "zod";
import { type StoreSettings, storeSettings } from "./store-settings.js";

export const RETRIEVAL_KINDS = ["dense", "bm25", "hybrid"] as const;
export type RetrievalKind = (typeof RETRIEVAL_KINDS)[number];

/** How passages are found: settings of every stage that retrieves. */
export const retrievalSettings = {
  retrieval: z
    .enum([...RETRIEVAL_KINDS, "auto"])
    .default("dense")
    .describe(
      "How passages are found: by the encoder's vectors, by words (BM25), by both scores together, or auto: as the eval questions of train-retriever chose (hybrid.json beside the model), the vectors alone where nothing was chosen",
    ),
  bm25_weight: number((n) => n.min(0))
    .optional()
    .describe(
      "hybrid: weight of the BM25 score beside the vectors', both standardised; default: as chosen by train-retriever (hybrid.json beside the model), else 0.5",
    ),
  retrieval_choice_of: z
    .string()
    .min(1)
    .optional()
    .describe("auto: folder of another retriever whose choice is taken, so that both are searched in the same way"),
  truncate_dim: count(1)
    .optional()
    .describe(
      "Vectors are cut to so many entries: for models trained with --matryoshka_dims; default: as saved with the model",
    ),
  ...storeSettings,
};

export interface RetrievalSettings extends StoreSettings {
  retrieval: RetrievalKind | "auto";
  bm25_weight?: number | undefined;
  retrieval_choice_of?: string | undefined;
  truncate_dim?: number | undefined;
}
