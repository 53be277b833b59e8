import { createRandom } from "@rag-ft/core";

/** Sign patterns are all gone through up to this number of differences other than 0: 65,536 of them. */
const EXACT_UP_TO = 16;
const SAMPLES = 10_000;

/**
 * Exact two-sided test that wins and losses are equally likely (sign test; McNemar's exact test when each question is right or wrong).
 * Ties do not count. 1 when there is neither win nor loss.
 */
export function signTest(wins: number, losses: number): number {
  const n = wins + losses;
  const fewer = Math.min(wins, losses);
  // log of C(n, k) / 2^n, from one k to the next; 2^-n alone is 0 in double precision above 1,074.
  let log = -n * Math.LN2;
  let tail = Math.exp(log);
  for (let k = 1; k <= fewer; k++) {
    log += Math.log((n - k + 1) / k);
    tail += Math.exp(log);
  }
  return Math.min(1, 2 * tail);
}

/** Share of sign patterns whose sum is at least as far from 0 as the one seen: all 2^n patterns, each from the one before it. */
function exactShare(differences: Float64Array, reach: number): number {
  const n = differences.length;
  const signs = new Int8Array(n).fill(1);
  let sum = differences.reduce((total, value) => total + value, 0);
  let extreme = 0;
  const patterns = 2 ** n;
  for (let pattern = 1; ; pattern++) {
    if (Math.abs(sum) >= reach) extreme++;
    if (pattern === patterns) return extreme / patterns;
    // Gray code: the sign to turn is that of the lowest set bit of the pattern's number.
    const turned = 31 - Math.clz32(pattern & -pattern);
    const sign = -(signs[turned] as number);
    signs[turned] = sign;
    sum += 2 * sign * (differences[turned] as number);
  }
}

/** The same from random patterns. The one seen counts as one of them, so that the share is never 0. */
function sampledShare(differences: Float64Array, reach: number, seed: number): number {
  const random = createRandom(seed);
  let extreme = 1;
  for (let sample = 0; sample < SAMPLES; sample++) {
    let sum = 0;
    for (const value of differences) sum += random.next() < 0.5 ? value : -value;
    if (Math.abs(sum) >= reach) extreme++;
  }
  return extreme / (SAMPLES + 1);
}

/**
 * Two-sided p-value of paired differences by random signs (Fisher's randomisation test): how often a mean as far from 0 comes about when
 * either run could have had either figure. Exact for up to 16 differences other than 0, else from 10,000 seeded draws, which cannot
 * give less than 0.0001. 1 when all differences are 0.
 */
export function permutationTest(differences: readonly number[], seed = 0): number {
  const moved = Float64Array.from(differences.filter((value) => value !== 0));
  if (moved.length === 0) return 1;
  const seen = Math.abs(moved.reduce((sum, value) => sum + value, 0));
  // Sums that are equal on paper may differ in the last bits by the order they are added in.
  const reach = seen - 1e-12 * moved.reduce((sum, value) => sum + Math.abs(value), 0);
  return moved.length <= EXACT_UP_TO ? exactShare(moved, reach) : sampledShare(moved, reach, seed);
}
