import { type Document, documentKey } from "@rag-ft/core";
import { documentRecall, mean, ndcgAtK, recallAtK, reciprocalRank } from "@rag-ft/metrics";

/** Figures of one question. `documents` has a key for each k: 1 when all gold passages are among the first k, else 0. */
export interface RetrievalScore {
  documents: Record<string, number>;
  /** Share of gold passages among the first k. */
  fraction: Record<string, number>;
  ndcg: Record<string, number>;
  reciprocal_rank: number;
  /** Place (from 1) of each gold passage among the retrieved; null when it is not there. */
  gold_ranks: (number | null)[];
}

/** Two passages are the same when source and content are both equal; a gold passage that is listed twice counts once. */
export function scoreRetrieval(
  retrieved: readonly Document[],
  gold: readonly Document[],
  ks: readonly number[],
): RetrievalScore {
  const retrievedKeys = retrieved.map(documentKey);
  const goldKeys = [...new Set(gold.map(documentKey))];
  const atEach = (measure: (k: number) => number): Record<string, number> =>
    Object.fromEntries(ks.map((k) => [`recall${k}`, measure(k)]));
  return {
    documents: atEach((k) => documentRecall(retrievedKeys, goldKeys, k)),
    fraction: atEach((k) => recallAtK(retrievedKeys, goldKeys, k)),
    ndcg: Object.fromEntries(ks.map((k) => [`ndcg${k}`, ndcgAtK(retrievedKeys, goldKeys, k)])),
    reciprocal_rank: reciprocalRank(retrievedKeys, goldKeys),
    gold_ranks: goldKeys.map((key) => {
      const place = retrievedKeys.indexOf(key);
      return place < 0 ? null : place + 1;
    }),
  };
}

/**
 * Means over questions under the reference's names, without the split: `document_recall/recall1` (all gold passages found;
 * the reference's figure), and with it `fraction_recall/…`, `ndcg/ndcg4` and `mrr` (within what was retrieved).
 */
export function retrievalFigures(scores: readonly RetrievalScore[], ks: readonly number[]): Record<string, number> {
  const figures: Record<string, number> = {};
  for (const k of ks) figures[`document_recall/recall${k}`] = mean(scores.map((s) => s.documents[`recall${k}`] ?? 0));
  for (const k of ks) figures[`fraction_recall/recall${k}`] = mean(scores.map((s) => s.fraction[`recall${k}`] ?? 0));
  for (const k of ks) figures[`ndcg/ndcg${k}`] = mean(scores.map((s) => s.ndcg[`ndcg${k}`] ?? 0));
  figures.mrr = mean(scores.map((s) => s.reciprocal_rank));
  return figures;
}
