import { figureNamed } from "../figures/figure-names.js";
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
      const sources = options.sources?.filter((_, i) => rows[i]?.[name] !== undefined);
      return [
        name,
        estimateMean(values, { ...options, ...(sources ? { sources } : {}), share: figureNamed(name)?.share ?? false }),
      ];
    }),
  );
}

/** In `score.json`: how many sources the intervals are over, where they are by source. */
export const SOURCES_NAME = "ci95_by_source";

/** For a table's heading: whether intervals are by source. */
export function intervalNote(estimates: Readonly<Record<string, Pick<Estimate, "sources">>>): string {
  const sources = Math.max(0, ...Object.values(estimates).map((one) => one.sources ?? 0));
  return sources > 0 ? `95 % intervals by source (${sources} sources)` : "95 % intervals";
}

/**
 * Estimates as `score.json` holds them: `<figure>` and beside it `<figure>_ci95: [low, high]`, left out where it is not known; and where
 * intervals are by source, of how many.
 */
export function flatEstimates(
  estimates: Readonly<Record<string, Estimate>>,
): Record<string, number | [number, number]> {
  const sources = Math.max(0, ...Object.values(estimates).map((one) => one.sources ?? 0));
  return Object.fromEntries([
    ...Object.entries(estimates).flatMap(([name, { mean, low, high }]) => [
      [name, mean] as const,
      ...(Number.isFinite(low) ? [[intervalName(name), [low, high] as [number, number]] as const] : []),
    ]),
    ...(sources > 0 ? [[SOURCES_NAME, sources] as const] : []),
  ]);
}
