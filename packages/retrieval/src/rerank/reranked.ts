// A reranker reads question and passage together, which is too slow for a database and better than vectors for the first passages of a search. Its
// scores have another scale than the search's, and both differ from question to question. Each is therefore standardised over the passages that are
// reordered, and the two are added: (1 - weight) * search + weight * reranker. Weight 0 leaves the search's order, 1 is the reranker's alone.
import { standardise } from "../fused-scores.js";
import type { Retrieved } from "../retriever.js";

/**
 * The first passages in the order of the fused scores, equal ones in the search's; `logits` has one for each of them. Those behind keep their order,
 * and their scores' distances below the lowest of the first.
 */
export function reranked({ documents, ids, scores }: Retrieved, logits: ArrayLike<number>, weight: number): Retrieved {
  const count = Math.min(logits.length, ids.length);
  if (weight === 0 || count === 0) return { documents, ids, scores };
  const search = standardise(Float64Array.from(scores.slice(0, count)));
  const reader = standardise(Float64Array.from(logits).subarray(0, count));
  const fused = search.map((score, place) => (1 - weight) * score + weight * (reader[place] as number));
  const order = [...fused.keys()].sort((a, b) => (fused[b] as number) - (fused[a] as number) || a - b);
  const lowest = fused[order.at(-1) as number] as number;
  const from = scores[count - 1] as number;
  const inOrder = <T>(values: readonly T[]): T[] => order.map((place) => values[place] as T);
  return {
    documents: [...inOrder(documents), ...documents.slice(count)],
    ids: [...inOrder(ids), ...ids.slice(count)],
    scores: [...inOrder([...fused]), ...scores.slice(count).map((score) => lowest - (from - score))],
  };
}
