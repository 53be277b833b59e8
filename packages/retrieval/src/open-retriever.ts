import type { Document } from "@rag-ft/core";
import { bm25Retriever } from "./bm25-retriever.js";
import { openDenseRetriever } from "./dense-retriever.js";
import { hybridRetriever } from "./hybrid-retriever.js";
import { checkRetrieval, resolveBm25Weight } from "./hybrid-weight.js";
import type { OpenIndexOptions } from "./open-index.js";
import type { PassageEncoder } from "./passage-encoder.js";
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
  close(): Promise<void>;
}

/** A retriever of the kind that the settings name, over these passages. */
export async function openRetriever(
  documents: readonly Document[],
  { settings, model, openEncoder, ...options }: OpenRetrieverOptions,
): Promise<OpenedRetriever> {
  checkRetrieval(settings);
  if (settings.retrieval === "bm25") return { ...bm25Retriever(documents), close: async () => {} };
  const weight =
    settings.retrieval === "hybrid" ? await resolveBm25Weight(settings, model, options.reporter) : undefined;
  const dense = await openDenseRetriever(documents, await openEncoder(), options);
  if (weight === undefined) return dense;
  return { ...hybridRetriever(dense.index, dense.encoder, weight), bm25Weight: weight, close: dense.close };
}
