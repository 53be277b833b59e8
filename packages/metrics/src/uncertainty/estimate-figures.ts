import type { BootstrapOptions } from "./bootstrap.js";
import { type Estimate, estimateMean } from "./estimate-mean.js";

/** Name of a figure's 95 % interval beside it in `score.json`. */
export function intervalName(figure: string): string {
  return `${figure}_ci95`;
}

/**
 * The mean of each figure over the questions that have it. `rows` is one record a question, as `figures` of a prediction; names keep
 * the order in which they first come.
 */
export function estimateFigures(
  rows: readonly Readonly<Record<string, number>>[],
  options: BootstrapOptions = {},
): Record<string, Estimate> {
  const names = new Set(rows.flatMap((row) => Object.keys(row)));
  return Object.fromEntries(
    [...names].map((name) => {
      const values = rows.flatMap((row) => row[name] ?? []);
      return [name, estimateMean(values, options)];
    }),
  );
}

/** Estimates as `score.json` holds them: `<figure>` and beside it `<figure>_ci95: [low, high]`, left out where it is not known. */
export function flatEstimates(
  estimates: Readonly<Record<string, Estimate>>,
): Record<string, number | [number, number]> {
  return Object.fromEntries(
    Object.entries(estimates).flatMap(([name, { mean, low, high }]) => [
      [name, mean] as const,
      ...(Number.isFinite(low) ? [[intervalName(name), [low, high] as [number, number]] as const] : []),
    ]),
  );
}
