import { type Document, distinctDocuments, documentKey } from "@rag-ft/core";
import { averagePrecision, documentRecall, mean, ndcgAtK, recallAtK, reciprocalRank } from "@rag-ft/metrics";
import { isNearPassage } from "./near-passages.js";

/** Figures of one question. `documents` has a key for each k: 1 when all gold passages are among the first k, else 0. */
export interface RetrievalScore {
  documents: Record<string, number>;
  /** 1 when for each gold passage, itself or a near-duplicate of it is among the first k, else 0. */
  near_documents: Record<string, number>;
  /** Share of gold passages among the first k. */
  fraction: Record<string, number>;
  ndcg: Record<string, number>;
  reciprocal_rank: number;
  average_precision: number;
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
  const shown = retrieved.slice(0, Math.max(0, ...ks));
  const nearPlaces = distinctDocuments(gold).map((document) =>
    shown.findIndex((other) => isNearPassage(document, other)),
  );
  const isNearFound = (k: number): boolean =>
    nearPlaces.length > 0 && nearPlaces.every((place) => place >= 0 && place < k);
  const atEach = (measure: (k: number) => number): Record<string, number> =>
    Object.fromEntries(ks.map((k) => [`recall${k}`, measure(k)]));
  return {
    documents: atEach((k) => documentRecall(retrievedKeys, goldKeys, k)),
    near_documents: atEach((k) => (isNearFound(k) ? 1 : 0)),
    fraction: atEach((k) => recallAtK(retrievedKeys, goldKeys, k)),
    ndcg: Object.fromEntries(ks.map((k) => [`ndcg${k}`, ndcgAtK(retrievedKeys, goldKeys, k)])),
    reciprocal_rank: reciprocalRank(retrievedKeys, goldKeys),
    average_precision: averagePrecision(retrievedKeys, goldKeys),
    gold_ranks: goldKeys.map((key) => {
      const place = retrievedKeys.indexOf(key);
      return place < 0 ? null : place + 1;
    }),
  };
}

/**
 * One question's figures under the names that their means go by: `document_recall/recall1` (1 when all gold passages are found; the
 * reference's figure), `near_recall/recall1` (a near-duplicate of a gold passage counts for it), and with them `fraction_recall/…`,
 * `ndcg/ndcg4`, `mrr` and `map` (both within what was retrieved).
 */
export function figuresOfQuestion(score: RetrievalScore): Record<string, number> {
  const under = (name: string, values: Readonly<Record<string, number>>): [string, number][] =>
    Object.entries(values).map(([key, value]) => [`${name}/${key}`, value]);
  return Object.fromEntries([
    ...under("document_recall", score.documents),
    ...under("near_recall", score.near_documents),
    ...under("fraction_recall", score.fraction),
    ...under("ndcg", score.ndcg),
    ["mrr", score.reciprocal_rank],
    ["map", score.average_precision],
  ]);
}

/** Means over questions of `figuresOfQuestion`; NaN without questions. */
export function retrievalFigures(scores: readonly RetrievalScore[], ks: readonly number[]): Record<string, number> {
  const rows = scores.map(figuresOfQuestion);
  const names = Object.keys(figuresOfQuestion(scores[0] ?? scoreRetrieval([], [], ks)));
  return Object.fromEntries(names.map((name) => [name, mean(rows.map((row) => row[name] ?? 0))]));
}
