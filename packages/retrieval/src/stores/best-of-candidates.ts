import { BestPassages, type Ranked } from "../best-passages.js";
import { innerProduct } from "../inner-product.js";
import { longestOf, roundingBound } from "./memory/nearest-candidates.js";

/** Passages that a store found by its own arithmetic, in any order, with their vectors, `[ids, dimensions]`. */
export interface Candidates {
  ids: ArrayLike<number>;
  vectors: Float32Array;
}

/** Candidates beyond those that are wanted, at least: what single precision may have put in another order. */
const SPARE = 32;

/** So many passages of one score are looked through for the lowest places; of more, the store's own choice is taken. */
const MOST_TIES = 20_000;

function ranked(query: Float32Array, { ids, vectors }: Candidates, depth: number): Ranked {
  const d = query.length;
  const order = Array.from(ids, (id, at) => ({ id, at })).sort((a, b) => a.id - b.id);
  const best = new BestPassages(Math.min(depth, order.length));
  if (best.ids.length > 0)
    for (const { id, at } of order) best.offer(id, innerProduct(query, vectors.subarray(at * d, (at + 1) * d)));
  return best;
}

/**
 * The best `depth` passages of a query (`[dimensions]`) by exact inner products, equal ones by the lower place, from a database that works in single
 * precision and leaves the order of equal scores open. More are fetched until no further one could be among them.
 *
 * @param fetch The database's best `limit` passages.
 */
export async function bestOfCandidates(
  query: Float32Array,
  depth: number,
  size: number,
  fetch: (limit: number) => Promise<Candidates>,
): Promise<Ranked> {
  if (depth === 0 || size === 0) return new BestPassages(0);
  for (let wanted = depth + Math.max(SPARE, depth >> 2); ; wanted *= 2) {
    const limit = Math.min(wanted, size);
    const found = await fetch(limit);
    const all = ranked(query, found, limit);
    const edge = all.scores[depth - 1];
    const least = all.scores.at(-1) as number;
    const bound = roundingBound(query.length, longestOf(query, query.length) * longestOf(found.vectors, query.length));
    if (edge === undefined || found.ids.length < limit || limit === size || edge - least > bound || limit > MOST_TIES)
      return { ids: all.ids.subarray(0, depth), scores: all.scores.subarray(0, depth) };
  }
}
