import { InternalError } from "@rag-ft/core";
import { type BootstrapOptions, bootstrapStatistic } from "./bootstrap.js";
import type { Interval } from "./wilson-interval.js";

/** How far two raters agree. */
export interface Agreement extends Interval {
  /** 1: always; 0: as often as by chance; below 0: less. NaN when chance alone makes them agree always. */
  kappa: number;
  /** Share of items with the same label. */
  observed: number;
  /** The same, had each rater labelled at random in the proportions of their own labels. */
  expected: number;
  n: number;
}

type Labels = readonly (string | number | boolean)[];

function kappaOf(a: Labels, b: Labels): Pick<Agreement, "kappa" | "observed" | "expected"> {
  const n = a.length;
  const shareOf = (labels: Labels, label: unknown): number => labels.filter((value) => value === label).length / n;
  const observed = a.filter((label, i) => label === b[i]).length / n;
  const expected = [...new Set(a)].reduce<number>((sum, label) => sum + shareOf(a, label) * shareOf(b, label), 0);
  return { kappa: expected === 1 ? Number.NaN : (observed - expected) / (1 - expected), observed, expected };
}

/**
 * Cohen's kappa (1960) of two raters' labels of the same items, with a 95 % bootstrap interval.
 *
 * @throws InternalError when the lists differ in length.
 */
export function cohensKappa(a: Labels, b: Labels, options: BootstrapOptions = {}): Agreement {
  if (a.length !== b.length) throw new InternalError(`Not paired: ${a.length} labels against ${b.length}.`);
  const interval = bootstrapStatistic(
    a.length,
    (rows) => {
      const drawn = Array.from(rows);
      return kappaOf(
        drawn.map((row) => a[row] as string),
        drawn.map((row) => b[row] as string),
      ).kappa;
    },
    { resamples: 2_000, ...options },
  );
  return { ...kappaOf(a, b), ...interval, n: a.length };
}
