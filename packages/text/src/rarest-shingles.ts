import type { Shingles } from "./shingles.js";

/** Buckets for counting how many texts have a shingle; shingles in one bucket only seem more frequent than they are. */
const BUCKETS = 2 ** 22;

const bucketOf = (key: number): number => key % BUCKETS;

/** For each set, its rarest shingles: as many as must hold one in common with whatever contains the set. */
export function rarestShingles(sets: readonly Shingles[], above: number): Float64Array[] {
  const frequency = new Uint32Array(BUCKETS);
  for (const set of sets) for (const key of set) (frequency[bucketOf(key)] as number)++;
  const of = (key: number): number => frequency[bucketOf(key)] as number;
  return sets.map((set) => {
    // Least number of common shingles; rounding must never make it too large.
    const least = Math.floor(above * set.length - 1e-9) + 1;
    const prefix = set.slice().sort((a, b) => of(a) - of(b) || a - b);
    // What only this set has leads to no other.
    return prefix.subarray(0, set.length - least + 1).filter((key) => of(key) > 1);
  });
}
