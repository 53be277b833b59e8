// Scores of vectors and of words have other scales, and they differ from question to question. Each is therefore standardised for each question by
// itself, and the two are added: dense + weight * BM25.
//
// Where all scores are at hand they are standardised over all passages of the database: exact. Where a store gives its best passages alone, over
// the candidates: the store's best and BM25's best. BM25's scores of all of them are known; a candidate that the store did not give cannot score
// more than the last that it gave, and takes that score. With as many candidates as passages both are the same, bit for bit. A store that searches by
// words itself takes BM25's place.
import { bestOf, type Ranked } from "./best-passages.js";

/** Scores less their mean, divided by their standard deviation; all 0 where all are equal. */
export function standardise(scores: Float64Array): Float64Array {
  // Equal scores may miss their own mean by rounding.
  if (scores.every((score) => score === scores[0])) return new Float64Array(scores.length);
  const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
  const variance = scores.reduce((sum, score) => sum + (score - mean) ** 2, 0) / scores.length;
  const deviation = Math.sqrt(variance);
  return scores.map((score) => (score - mean) / deviation);
}

/** One question's standardised scores of some passages. */
export interface StandardScores {
  /** Their places, ascending; undefined: all passages of the database. */
  ids: Int32Array | undefined;
  dense: Float64Array;
  bm25: Float64Array;
}

/** Of all passages, `[passages]` each. */
export function scoresOfAll(dense: Float64Array, bm25: Float64Array): StandardScores {
  return { ids: undefined, dense: standardise(dense), bm25: standardise(bm25) };
}

/** Of the candidates: the store's best (`dense`) and the best by words. `bm25` has the scores of all passages. */
export function scoresOfCandidates(dense: Ranked, words: Ranked, bm25: Float64Array): StandardScores {
  const ids = Int32Array.from(new Set([...dense.ids, ...words.ids])).sort();
  const known = new Map(Array.from(dense.ids, (id, place) => [id, dense.scores[place] as number]));
  const lowest = dense.scores.at(-1) ?? 0;
  return {
    ids,
    dense: standardise(Float64Array.from(ids, (id) => known.get(id) ?? lowest)),
    bm25: standardise(Float64Array.from(ids, (id) => bm25[id] as number)),
  };
}

/**
 * Of the candidates of a store that searches by words itself: its best by vectors and its best by words, of each at most `limit`. One that the words
 * did not give shares none with the question where they gave fewer than `limit`; else it takes the last score that they gave.
 */
export function scoresOfRankings(dense: Ranked, words: Ranked, limit: number): StandardScores {
  const ids = Int32Array.from(new Set([...dense.ids, ...words.ids])).sort();
  const of = ({ ids: own, scores }: Ranked, otherwise: number): Float64Array => {
    const known = new Map(Array.from(own, (id, place) => [id, scores[place] as number]));
    return standardise(Float64Array.from(ids, (id) => known.get(id) ?? otherwise));
  };
  return {
    ids,
    dense: of(dense, dense.scores.at(-1) ?? 0),
    bm25: of(words, words.ids.length < limit ? 0 : (words.scores.at(-1) ?? 0)),
  };
}

/** The best passages by the sum of both; where all passages have scores, the best of those `among` them. */
export function bestFused(scores: StandardScores, weight: number, depth: number, among?: Int32Array): Ranked {
  const { ids, dense, bm25 } = scores;
  const fused = dense.map((score, place) => score + weight * (bm25[place] as number));
  if (ids === undefined) return bestOf(fused, depth, among);
  const best = bestOf(fused, depth);
  return { ids: best.ids.map((place) => ids[place] as number), scores: best.scores };
}
