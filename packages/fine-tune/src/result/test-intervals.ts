import { estimateFigures, flatEstimates, pairedDifference } from "@rag-ft/metrics";
import type { Figures } from "@rag-ft/train";
import type { TestFigures } from "../fine-tune-task.js";

const optionsOf = (sources: readonly string[] | undefined): { sources?: readonly string[] } =>
  sources ? { sources } : {};

/** Figures as `score.json` has them: with `<figure>_ci95` beside those whose questions are known. */
export function withIntervals({ figures, rows }: TestFigures, sources: readonly string[] | undefined): object {
  return { ...(rows ? flatEstimates(estimateFigures(rows, optionsOf(sources))) : {}), ...figures };
}

/** What changed from the base to the result, question by question; nothing where a model's questions are not known. */
export function changesOf(base: TestFigures, best: TestFigures, sources: readonly string[] | undefined): object {
  const [before, now] = [base.rows, best.rows];
  if (!before || !now || before.length !== now.length) return {};
  const valuesOf = (rows: readonly Figures[], name: string): number[] => rows.map((row) => row[name] ?? Number.NaN);
  const changes = Object.keys(before[0] ?? {}).flatMap((figure) => {
    const [a, b] = [valuesOf(before, figure), valuesOf(now, figure)];
    if (![...a, ...b].every(Number.isFinite)) return [];
    const { difference, low, high, p_value, wins, losses, ties } = pairedDifference(a, b, optionsOf(sources));
    const ci95 = Number.isFinite(low) ? { ci95: [low, high] } : {};
    return [[figure, { difference, ...ci95, p_value, wins, losses, ties }] as const];
  });
  return { change: Object.fromEntries(changes) };
}
