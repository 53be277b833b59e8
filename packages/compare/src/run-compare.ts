import { type StageContext, type StageResult, splitProcedureOf, writeJsonAtomic } from "@rag-ft/core";
import { compareFigures, type FigureComparison, figureNames } from "./compare-figures.js";
import { pairRuns } from "./pair-runs.js";
import { readRun } from "./read-run.js";
import { renderComparison } from "./report.js";
import type { CompareSettings } from "./settings.js";

function toJson({ low, high, ...rest }: FigureComparison): object {
  return { ...rest, ...(Number.isFinite(low) ? { ci95: [low, high] } : {}) };
}

/** Reads two runs, pairs their questions, compares every figure both have, and writes the result to `out`, if given. */
export async function runCompare(settings: CompareSettings, _context: StageContext): Promise<StageResult> {
  const a = await readRun(settings.run_a);
  const b = await readRun(settings.run_b);
  const pairs = pairRuns(a, b);
  const comparisons = compareFigures(pairs, settings);
  const names = figureNames(pairs);
  // The runs' questions are the same, and so is what is known of them: of the two lines, one may say more than the other.
  const rows = pairs.map(({ a: one, b: other }) => (splitProcedureOf([one.row]) === "unknown" ? other.row : one.row));
  const summary = renderComparison({
    a: settings.run_a,
    b: settings.run_b,
    questions: pairs.length,
    comparisons,
    names,
    splitBy: splitProcedureOf(rows),
  });
  if (settings.out !== undefined) {
    await writeJsonAtomic(settings.out, {
      version: 1,
      a: a.path,
      b: b.path,
      questions: pairs.length,
      split_by: splitProcedureOf(rows),
      seed: settings.seed,
      only_in_a: names.onlyA,
      only_in_b: names.onlyB,
      other_depth: names.otherDepth,
      figures: comparisons.map(toJson),
    });
  }
  return {
    outputs: settings.out === undefined ? [] : [settings.out],
    figures: Object.fromEntries(comparisons.map(({ figure, difference }) => [figure, difference])),
    summary,
  };
}
