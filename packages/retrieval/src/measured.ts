import { pairedInterval } from "@rag-ft/metrics";

/** What a search of one kind finds: means over all questions, and the figures of each question, in order. */
export interface Measured {
  figures: Record<string, number>;
  rows: Record<string, number>[];
}

const valuesOf = ({ rows }: Measured, metric: string): number[] => rows.map((row) => row[metric] ?? Number.NaN);

/** By how much the figure `metric` of one search is above another's, with the 95 % interval of the difference, question by question. */
export interface Gain {
  gain: number;
  low: number;
  high: number;
}

/** Undefined where there is no interval: of one question, or none. */
export function gainOver(
  before: Measured,
  now: Measured,
  metric: string,
  sources?: readonly string[],
): Gain | undefined {
  const { low, high } = pairedInterval(valuesOf(before, metric), valuesOf(now, metric), sources ? { sources } : {});
  if (!Number.isFinite(low) || !Number.isFinite(high)) return undefined;
  return { gain: (now.figures[metric] ?? 0) - (before.figures[metric] ?? 0), low, high };
}

/**
 * The usual one, unless the figure `metric` of another beats it beyond chance, question by question: then the best of those that do.
 * The best of several on a hundred questions is mostly chance: on Faire's folds it found less on other questions than the usual one.
 */
export function usualUnlessBeaten<T extends Measured>(
  candidates: readonly T[],
  usual: T,
  metric: string,
  sources?: readonly string[],
): T {
  const beats = (one: T): boolean => (gainOver(usual, one, metric, sources)?.low ?? 0) > 0;
  return candidates
    .filter((one) => one !== usual && one.rows.length > 0 && beats(one))
    .reduce((best, one) => ((one.figures[metric] ?? 0) > (best.figures[metric] ?? 0) ? one : best), usual);
}
