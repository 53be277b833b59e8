import { InternalError } from "@rag-ft/core";
import { Z_95 } from "./normal.js";

/** Two ends of an interval, in the unit of what it is about. */
export interface Interval {
  low: number;
  high: number;
}

/**
 * 95 % interval of a share (Wilson 1927): of `n` questions `successes` were right. In [0, 1], and not of width 0 when all or none were.
 * NaN ends for no question.
 */
export function wilsonInterval(successes: number, n: number): Interval {
  if (!(successes >= 0 && successes <= n)) throw new InternalError(`${successes} of ${n} is not a share.`);
  if (n === 0) return { low: Number.NaN, high: Number.NaN };
  const share = successes / n;
  const z2 = Z_95 * Z_95;
  const centre = (share + z2 / (2 * n)) / (1 + z2 / n);
  const half = (Z_95 / (1 + z2 / n)) * Math.sqrt((share * (1 - share)) / n + z2 / (4 * n * n));
  return {
    low: successes === 0 ? 0 : Math.max(0, centre - half),
    high: successes === n ? 1 : Math.min(1, centre + half),
  };
}
