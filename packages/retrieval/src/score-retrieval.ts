import { type Document, distinctDocuments, documentKey } from "@rag-ft/core";
import { type FigureDepths, mean, measure, RETRIEVAL_FIGURES } from "@rag-ft/metrics";
import { holdsPassage, isFragment } from "./near-passages.js";

/** One question's figures. */
export interface RetrievalScore {
  /** By their names in files, without `test_retr/`: `document_recall/recall4`, `mrr@4`, … (docs/figures.md). */
  figures: Record<string, number>;
  /** Place (from 1) of each gold passage among the retrieved; null when it is not there. */
  gold_ranks: (number | null)[];
}

const placeOf = (index: number): number | null => (index < 0 ? null : index + 1);

/**
 * Two passages are the same when source and content are both equal; a gold passage that is listed twice counts once. Near-duplicates are
 * looked for to the deepest of `ks` only. `relevance` grades the gold passages for nDCG.
 */
export function scoreRetrieval(
  retrieved: readonly Document[],
  gold: readonly Document[],
  { ks, searched }: FigureDepths,
  relevance?: readonly number[],
): RetrievalScore {
  const keys = retrieved.map(documentKey);
  const distinct = distinctDocuments(gold);
  const goldKeys = distinct.map(documentKey);
  const shown = retrieved.slice(0, Math.max(0, ...ks));
  const nearRanks = distinct.map((one) => placeOf(shown.findIndex((other) => holdsPassage(other, one))));
  const fragmentRanks = distinct.map((one, i) => {
    const holder = nearRanks[i] ?? shown.length + 1;
    const first = shown.findIndex((other, at) => at + 1 < holder && isFragment(other, one));
    return first < 0 ? (nearRanks[i] ?? null) : placeOf(first);
  });
  const grades = relevance && new Map(gold.map((one, i) => [documentKey(one), relevance[i] ?? 1]));
  return {
    figures: measure(
      RETRIEVAL_FIGURES,
      { retrieved: keys, gold: goldKeys, nearRanks, fragmentRanks, ...(grades ? { relevance: grades } : {}) },
      { ks, searched },
    ),
    gold_ranks: goldKeys.map((key) => placeOf(keys.indexOf(key))),
  };
}

/** Means over questions of their figures; NaN without questions. */
export function retrievalFigures(scores: readonly RetrievalScore[], depths: FigureDepths): Record<string, number> {
  const names = Object.keys((scores[0] ?? scoreRetrieval([], [], depths)).figures);
  return Object.fromEntries(names.map((name) => [name, mean(scores.map(({ figures }) => figures[name] ?? 0))]));
}
