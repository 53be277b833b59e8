/**
 * The score from which on a passage is a likely answer to a question whose gold passage scores `gold`: `margin` of it; for a negative score,
 * as far below it. Positive-aware mining with a share of the positive's score: Moreira et al. 2024, NV-Retriever.
 */
export function likelyLimit(gold: number, margin: number): number {
  return gold - (1 - margin) * Math.abs(gold);
}
