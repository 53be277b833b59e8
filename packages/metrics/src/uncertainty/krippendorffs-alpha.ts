import { type BootstrapOptions, bootstrapStatistic } from "./bootstrap.js";
import type { Interval } from "./wilson-interval.js";

/** How far any number of raters agree, each of whom may have left items out. */
export interface Reliability extends Interval {
  /** 1: always; 0: as often as by chance; below 0: less. NaN when all labels are the same, or no item has two. */
  alpha: number;
  /** Share of pairs of labels of one item that are equal, each item's pairs weighed by its labels. */
  observed: number;
  /** Items with at least two labels: the others say nothing. */
  n: number;
}

type Label = string | number | boolean;

/**
 * From the coincidences o(c, k) = sum over items of (pairs of labels c and k) / (labels of the item - 1), with n(c) their sums and n that of all:
 * alpha = 1 - (n - 1) * sum of o(c, k) / sum of n(c) n(k), both over c other than k.
 */
function alphaOf(items: readonly (readonly Label[])[]): Pick<Reliability, "alpha" | "observed"> {
  const totals = new Map<Label, number>();
  let [n, equal] = [0, 0];
  for (const labels of items) {
    const counts = new Map<Label, number>();
    for (const label of labels) {
      counts.set(label, (counts.get(label) ?? 0) + 1);
      totals.set(label, (totals.get(label) ?? 0) + 1);
    }
    n += labels.length;
    for (const count of counts.values()) equal += (count * (count - 1)) / (labels.length - 1);
  }
  let different = n * n;
  for (const total of totals.values()) different -= total * total;
  const alpha = different === 0 ? Number.NaN : 1 - ((n - 1) * (n - equal)) / different;
  return { alpha, observed: n === 0 ? Number.NaN : equal / n };
}

/**
 * Krippendorff's alpha of nominal labels (Computing Krippendorff's Alpha-Reliability, 2011), with a 95 % bootstrap interval over items (as Zapf,
 * Castell, Morawietz and Karch 2016 find it to hold).
 *
 * @param items Each item's labels, by whomever.
 */
export function krippendorffsAlpha(items: readonly (readonly Label[])[], options: BootstrapOptions = {}): Reliability {
  const paired = items.filter((labels) => labels.length > 1);
  const statistic = (rows: Int32Array): number =>
    alphaOf(Array.from(rows, (row) => paired[row] as readonly Label[])).alpha;
  const interval = bootstrapStatistic(paired.length, statistic, { resamples: 2_000, ...options });
  return { ...alphaOf(paired), ...interval, n: paired.length };
}
