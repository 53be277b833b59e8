import { throwIfCancelled } from "@rag-ft/core";
import type { PairScorer, TextPair } from "@rag-ft/models";
import { depthOf } from "../page.js";
import type { Retrieved, Retriever } from "../retriever.js";
import { reranked } from "./reranked.js";

/** Questions whose pairs are scored together: pairs of near-equal length fill whole batches. */
const QUESTIONS_A_CALL = 16;

export interface RerankOptions {
  /** So many first passages are reordered. */
  topN: number;
  /** Of the reranker's scores beside the search's, in [0, 1]. */
  weight: number;
}

/** What reranking took so far. */
export interface RerankCost {
  questions: number;
  milliseconds: number;
}

export interface RerankedRetriever extends Retriever {
  readonly cost: Readonly<RerankCost>;
}

/** Pairs of a question and its first passages, as a reranker reads them. */
export function pairsOf(question: string, { documents }: Retrieved, topN: number): TextPair[] {
  return documents.slice(0, topN).map(({ fmt_content }): TextPair => [question, fmt_content]);
}

/** Another search, its first passages reordered. A page that begins behind them is of that order too: pages put together are one deep search. */
export function rerankedRetriever(
  first: Retriever,
  scorer: Pick<PairScorer, "logits">,
  { topN, weight }: RerankOptions,
): RerankedRetriever {
  const cost: RerankCost = { questions: 0, milliseconds: 0 };
  return {
    documents: first.documents,
    cost,
    async retrieve(questions, k, options = {}) {
      const { offset = 0, reporter, signal } = options;
      const depth = depthOf({ limit: k, offset });
      const found = await first.retrieve(questions, Math.max(depth, topN), { ...options, offset: 0 });
      const progress = reporter?.start("reranking", questions.length);
      const pages: Retrieved[] = [];
      try {
        for (let start = 0; start < questions.length; start += QUESTIONS_A_CALL) {
          if (signal) throwIfCancelled(signal);
          const batch = found.slice(start, start + QUESTIONS_A_CALL);
          const pairs = batch.map((one, i) => pairsOf(questions[start + i] as string, one, topN));
          const began = performance.now();
          const logits = await scorer.logits(pairs.flat(), signal ? { signal } : {});
          cost.milliseconds += performance.now() - began;
          cost.questions += batch.length;
          let next = 0;
          batch.forEach((one, i) => {
            const from = next;
            next += pairs[i]?.length ?? 0;
            const { documents, ids, scores } = reranked(one, logits.subarray(from, next), weight);
            pages.push({
              documents: documents.slice(offset, depth),
              ids: ids.slice(offset, depth),
              scores: scores.slice(offset, depth),
            });
          });
          progress?.update(pages.length);
        }
      } finally {
        progress?.stop();
      }
      return pages;
    },
  };
}
