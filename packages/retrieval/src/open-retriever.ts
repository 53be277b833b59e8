import type { Document, StageContext } from "@rag-ft/core";
import { bm25Retriever } from "./bm25-retriever.js";
import { type DenseRetriever, openDenseRetriever } from "./dense-retriever.js";
import { hybridRetriever } from "./hybrid-retriever.js";
import { checkRetrieval } from "./hybrid-weight.js";
import type { OpenIndexOptions } from "./open-index.js";
import type { PassageEncoder } from "./passage-encoder.js";
import { type OpenedReranker, openReranker } from "./rerank/open-reranker.js";
import type { RerankSettings } from "./rerank/rerank-settings.js";
import { type RerankCost, rerankedRetriever } from "./rerank/reranked-retriever.js";
import { resolveRetrieval } from "./resolve-retrieval.js";
import type { RetrievalSettings } from "./retrieval-settings.js";
import type { Retriever } from "./retriever.js";
import { requireStore } from "./store-settings.js";

export interface OpenRetrieverOptions extends OpenIndexOptions {
  settings: RetrievalSettings & RerankSettings;
  env: StageContext["env"];
  /** Where a reranker runs. */
  device?: string;
  /** The encoder's name; a weight for BM25 may be kept in its folder. */
  model: string;
  /** Not called for BM25. */
  openEncoder(): Promise<PassageEncoder>;
}

/** How the first passages are reordered, and what that took so far. */
export interface Reranking {
  /** The reranker, as it was named. */
  reranker: string;
  rerank_top_n: number;
  rerank_weight: number;
  cost: Readonly<RerankCost>;
}

export interface OpenedRetriever extends Retriever {
  /** Of hybrid search. */
  bm25Weight?: number;
  /** The vectors that it searches by, alone or with words. */
  dense?: DenseRetriever;
  /** Where its first passages are reordered. */
  reranking?: Reranking;
  close(): Promise<void>;
}

/** Another search with its first passages reordered; it owns both. */
export function withReranker(
  first: OpenedRetriever,
  { model, scorer, topN, weight }: OpenedReranker,
): OpenedRetriever & { reranking: Reranking } {
  const { retrieve, cost } = rerankedRetriever(first, scorer, { topN, weight });
  return {
    ...first,
    retrieve,
    reranking: { reranker: model, rerank_top_n: topN, rerank_weight: weight, cost },
    async close() {
      await scorer.close();
      await first.close();
    },
  };
}

/**
 * A retriever of the kind that the settings name, over these passages; with a reranker where they name one, which is opened first: a wrong name
 * shows before anything is embedded.
 */
export async function openRetriever(
  documents: readonly Document[],
  options: OpenRetrieverOptions,
): Promise<OpenedRetriever> {
  checkRetrieval(options.settings);
  // A store that cannot be opened is told before a model is.
  const store = await requireStore(options.settings, options.env);
  const { env, reporter, signal, device } = options;
  const reranker = await openReranker(options.settings, { env, reporter, signal, device });
  if (reranker === undefined) return openFirstStage(documents, { ...options, store });
  try {
    return withReranker(await openFirstStage(documents, { ...options, store }), reranker);
  } catch (error) {
    await reranker.scorer.close();
    throw error;
  }
}

async function openFirstStage(
  documents: readonly Document[],
  { settings, model, openEncoder, ...options }: OpenRetrieverOptions,
): Promise<OpenedRetriever> {
  const { retrieval, bm25_weight: weight } = await resolveRetrieval(settings, model, options.reporter);
  if (retrieval === "bm25") return { ...bm25Retriever(documents), close: async () => {} };
  // Hybrid search scores all passages: a graph would be built for nothing.
  const exact = weight === undefined ? {} : { questions: 0 };
  const dense = await openDenseRetriever(documents, await openEncoder(), { ...options, ...exact });
  if (weight === undefined) return { ...dense, dense };
  return { ...hybridRetriever(dense.index, dense.encoder, weight), bm25Weight: weight, dense, close: dense.close };
}
