import { createRandom, formatTable, type QuestionsRow, questionCount, signed, writeJsonl } from "@rag-ft/core";
import { type BootstrapOptions, figureTitle, mean, pairedDifference } from "@rag-ft/metrics";
import type { LaterWork } from "./abroad.js";
import { type FoldFigures, type QuestionFigures, readFold } from "./collect-results.js";
import { foldFile, foldSteps, testFolder } from "./fold-steps.js";
import type { Fold } from "./folds.js";
import type { Variant } from "./variants.js";

export interface Curve {
  lines: string[];
  record: object;
}

/** What the verdict is by: it sees every rank, and so moves least by chance. */
const DECIDING = "test_retr/mrr";

/** About so large a share of the questions, passages whole; smaller shares are parts of larger ones. */
export function shareOf(rows: readonly QuestionsRow[], share: number, seed: number): QuestionsRow[] {
  const wanted = share * questionCount(rows);
  const kept: QuestionsRow[] = [];
  let count = 0;
  for (const row of createRandom(seed).shuffle(rows)) {
    if (count >= wanted) break;
    kept.push(row);
    count += row.questions.length;
  }
  return kept;
}

/** What the step from a share to all of the questions says. */
export function curveVerdict(
  share: number,
  figure: string,
  { difference, low, high }: { difference: number; low: number; high: number },
): string {
  const change = `from ${share} of the questions to all of them ${figure} changes by ${signed(difference)} (${signed(low)} to ${signed(high)})`;
  if (low > 0) return `More questions would probably help: ${change}.`;
  if (high < 0) return `More of these questions would not help: ${change}.`;
  return `Whether more questions would help cannot be told: ${change}, which leaves 0 in.`;
}

/**
 * Trains the recipe on shares of each fold's questions, too. Epochs stay as they are, so that fewer questions are fewer steps, unless max_steps says how many;
 * `whole`: the folds with all of them.
 */
export async function measureCurve(
  { settings, stages, runner, recipe }: LaterWork,
  { folds, whole, options }: { folds: readonly Fold[]; whole: readonly FoldFigures[]; options: BootstrapOptions },
): Promise<Curve | undefined> {
  const { learning_curve, output_dir, seed } = settings;
  if (learning_curve.length === 0) return undefined;
  const points: {
    share: number;
    questions: number;
    rows: { vectors: QuestionFigures[]; hybrid: QuestionFigures[] };
  }[] = [];
  const rowsOf = (all: readonly FoldFigures[]) => ({
    vectors: all.flatMap(({ tuned }) => tuned),
    hybrid: all.flatMap(({ tuned_hybrid }) => tuned_hybrid),
  });
  const perFold = (count: number): number => Math.round(count / folds.length);
  for (const share of [...learning_curve].sort((a, b) => a - b)) {
    const variant: Variant = { ...recipe, folder: `${recipe.folder}_share-${share}` };
    let questions = 0;
    for (const [i, fold] of folds.entries()) {
      const part = `train-${share}`;
      const rows = shareOf(fold.train, share, seed);
      questions += questionCount(rows);
      await writeJsonl(foldFile(output_dir, i + 1, part), rows);
      const steps = foldSteps(settings, stages, { variant, fold: i + 1, train: part });
      runner.plan(steps);
      await runner.run(steps.length);
    }
    const found = await Promise.all(folds.map((_, i) => readFold(testFolder(output_dir, variant, i + 1))));
    points.push({ share, questions: perFold(questions), rows: rowsOf(found) });
  }
  const all = folds.reduce((sum, fold) => sum + questionCount(fold.train), 0);
  points.push({ share: 1, questions: perFold(all), rows: rowsOf(whole) });
  const [before, after] = points.slice(-2) as [(typeof points)[number], (typeof points)[number]];
  const figure = decidingOf(after.rows.vectors);
  const values = (rows: readonly QuestionFigures[]): number[] => rows.map((row) => row[figure] ?? 0);
  const meanOf = (rows: readonly QuestionFigures[]): number => mean(values(rows));
  const gain = pairedDifference(values(before.rows.vectors), values(after.rows.vectors), options);
  const verdict = curveVerdict(before.share, figureTitle(figure), gain);
  const table = points.map(({ share, questions, rows }) => ({
    share,
    questions,
    vectors: meanOf(rows.vectors).toFixed(3),
    hybrid: meanOf(rows.hybrid).toFixed(3),
  }));
  return {
    lines: [
      `Learning curve, ${figureTitle(figure)} of ${recipe.name}`,
      formatTable(table, [
        { key: "share", title: "share of the questions" },
        { key: "questions", title: "questions a fold" },
        { key: "vectors", title: "vectors" },
        { key: "hybrid", title: "vectors + BM25" },
      ]),
      verdict,
    ],
    record: {
      figure,
      points: points.map(({ share, questions, rows }) => ({
        share,
        questions,
        vectors: meanOf(rows.vectors),
        hybrid: meanOf(rows.hybrid),
      })),
      last_step: { from: before.share, difference: gain.difference, ci95: [gain.low, gain.high] },
      verdict,
    },
  };
}

/** The name, with its depth, of the figure that the verdict is by. */
function decidingOf(rows: readonly QuestionFigures[]): string {
  const names = Object.keys(rows[0] ?? {});
  return names.find((name) => name === DECIDING || name.startsWith(`${DECIDING}@`)) ?? (names[0] as string);
}
