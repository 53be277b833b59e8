import { mean } from "../mean.js";
import { type BootstrapOptions, bootstrapInterval } from "./bootstrap.js";
import { isSameInAll, sumBySource } from "./sources.js";
import { type Interval, wilsonInterval } from "./wilson-interval.js";

export interface EstimateOptions extends BootstrapOptions {
  /** Whether the figure lies in [0, 1], as ROUGE does: then its interval does. */
  share?: boolean;
}

/** A mean over questions with its 95 % interval. */
export interface Estimate extends Interval {
  mean: number;
  /** Number of questions. */
  n: number;
  method: "wilson" | "bootstrap";
  /** How many sources were drawn, where questions share some. */
  sources?: number;
}

/** Whether every value is 0 or 1, so that the mean is a share. */
export function isBinary(values: readonly number[]): boolean {
  return values.every((value) => value === 0 || value === 1);
}

/**
 * The mean of one figure a question, in the figure's own unit: Wilson's interval when all values are 0 or 1 (right or wrong, found or
 * not), else the bootstrap's. Where questions share sources it is the bootstrap's by source; of a share that is the same in all sources, to which
 * that would give no width, it is Wilson's with a question a source. NaN for what is not known: everything of an empty list, the interval of a single value.
 */
export function estimateMean(values: readonly number[], options: EstimateOptions = {}): Estimate {
  const shared = { mean: mean(values), n: values.length };
  const bySource = sumBySource(values, options.sources);
  if (bySource) {
    const sources = bySource.length;
    if (isBinary(values) && isSameInAll(bySource))
      return { ...shared, ...wilsonInterval(shared.mean * sources, sources), method: "wilson", sources };
    const { low, high } = bootstrapInterval(values, options);
    // Of few sources the interval may pass the ends that the figure has: nothing found, and of a share or a score up to 1, all of it.
    const within = {
      low: values.every((value) => value >= 0) ? Math.max(0, low) : low,
      high: isBinary(values) || options.share ? Math.min(1, high) : high,
    };
    return { ...shared, ...within, method: "bootstrap", sources };
  }
  if (isBinary(values)) {
    const successes = values.reduce((sum, value) => sum + value, 0);
    return { ...shared, ...wilsonInterval(successes, values.length), method: "wilson" };
  }
  return { ...shared, ...bootstrapInterval(values, options), method: "bootstrap" };
}
