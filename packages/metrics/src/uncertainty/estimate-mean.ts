import { mean } from "../mean.js";
import { type BootstrapOptions, bootstrapInterval } from "./bootstrap.js";
import { sumBySource } from "./sources.js";
import { type Interval, wilsonInterval } from "./wilson-interval.js";

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
 * not), else the bootstrap's. Where questions share sources it is the bootstrap's by source; of values that are all 0 or all 1, which it
 * would give no width, it is Wilson's with a question a source. NaN for what is not known: everything of an empty list, the interval of a single value.
 */
export function estimateMean(values: readonly number[], options: BootstrapOptions = {}): Estimate {
  const shared = { mean: mean(values), n: values.length };
  const bySource = sumBySource(values, options.sources);
  const isConstant = values.every((value) => value === values[0]);
  if (bySource && isBinary(values) && isConstant) {
    const sources = bySource.length;
    return { ...shared, ...wilsonInterval(values[0] === 1 ? sources : 0, sources), method: "wilson", sources };
  }
  if (bySource)
    return { ...shared, ...bootstrapInterval(values, options), method: "bootstrap", sources: bySource.length };
  if (isBinary(values)) {
    const successes = values.reduce((sum, value) => sum + value, 0);
    return { ...shared, ...wilsonInterval(successes, values.length), method: "wilson" };
  }
  return { ...shared, ...bootstrapInterval(values, options), method: "bootstrap" };
}
