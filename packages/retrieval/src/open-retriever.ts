import type { Document } from "@rag-ft/core";
import { bm25Retriever } from "./bm25-retriever.js";
import { type DenseRetriever, openDenseRetriever } from "./dense-retriever.js";
import { hybridRetriever } from "./hybrid-retriever.js";
import { checkRetrieval } from "./hybrid-weight.js";
import type { OpenIndexOptions } from "./open-index.js";
import type { PassageEncoder } from "./passage-encoder.js";
import { resolveRetrieval } from "./resolve-retrieval.js";
import type { RetrievalSettings } from "./retrieval-settings.js";
import type { Retriever } from "./retriever.js";

export interface OpenRetrieverOptions extends OpenIndexOptions {
  settings: RetrievalSettings;
  /** The encoder's name; a weight for BM25 may be kept in its folder. */
  model: string;
  /** Not called for BM25. */
  openEncoder(): Promise<PassageEncoder>;
}

export interface OpenedRetriever extends Retriever {
  /** Of hybrid search. */
  bm25Weight?: number;
  /** The vectors that it searches by, alone or with words. */
  dense?: DenseRetriever;
  close(): Promise<void>;
}

/** A retriever of the kind that the settings name, over these passages. */
export async function openRetriever(
  documents: readonly Document[],
  { settings, model, openEncoder, ...options }: OpenRetrieverOptions,
): Promise<OpenedRetriever> {
  checkRetrieval(settings);
  const { retrieval, bm25_weight: weight } = await resolveRetrieval(settings, model, options.reporter);
  if (retrieval === "bm25") return { ...bm25Retriever(documents), close: async () => {} };
  // Hybrid search scores all passages: a graph would be built for nothing.
  const exact = weight === undefined ? {} : { questions: 0, approximateAbove: Number.POSITIVE_INFINITY };
  const dense = await openDenseRetriever(documents, await openEncoder(), { ...options, ...exact });
  if (weight === undefined) return { ...dense, dense };
  return { ...hybridRetriever(dense.index, dense.encoder, weight), bm25Weight: weight, dense, close: dense.close };
}
