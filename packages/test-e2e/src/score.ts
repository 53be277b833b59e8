import { type Estimate, estimateFigures, flatEstimates } from "@rag-ft/metrics";

/** Content of `score.json`: figures, and the intervals of those that are means. */
export type Score = Record<string, number | [number, number]>;

/** Names with the group they belong to, such as `test_gen/f1`. */
export function prefixed(prefix: string, figures: Readonly<object>): Record<string, number> {
  return Object.fromEntries(Object.entries(figures).map(([name, value]) => [`${prefix}/${name}`, value as number]));
}

/** Means over questions with their 95 % intervals, then plain counts. `rows` holds each question's figures. */
export function scoreOf(
  rows: readonly Readonly<Record<string, number>>[],
  counts: Readonly<Record<string, number>>,
  seed: number,
  sources?: readonly string[],
): Score {
  const estimates: Record<string, Estimate> = estimateFigures(rows, { seed, ...(sources ? { sources } : {}) });
  return { ...flatEstimates(estimates), ...counts };
}

/** The figures alone, without intervals. */
export function numbersOf(score: Score): Record<string, number> {
  return Object.fromEntries(
    Object.entries(score).filter((entry): entry is [string, number] => typeof entry[1] === "number"),
  );
}
