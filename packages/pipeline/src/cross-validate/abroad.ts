import { join } from "node:path";
import { DataError, readQuestions, type StageContext, signed, sourceOf } from "@rag-ft/core";
import { figureTitle, mean, pairedDifference } from "@rag-ft/metrics";
import { comparedNames } from "@rag-ft/test-retriever";
import { type QuestionFigures, readSystems } from "./collect-results.js";
import { type FoldStages, foreignSteps } from "./fold-steps.js";
import type { CrossValidateSettings } from "./settings.js";
import type { StepRunner } from "./step-runner.js";
import type { Variant } from "./variants.js";

/** What comes after the variants were trained. */
export interface LaterWork {
  settings: CrossValidateSettings;
  stages: FoldStages;
  runner: StepRunner;
  context: StageContext;
  /** What is, or would be, trained with. */
  recipe: Variant;
}

/** What the tuned models lose, or win, on questions of another field. */
export interface Foreign {
  lines: string[];
  record: object;
}

/** Figures of each question, in the mean over several models. */
function meanOver(models: readonly QuestionFigures[][]): QuestionFigures[] {
  const [first = []] = models;
  return first.map((figures, question) =>
    Object.fromEntries(
      Object.keys(figures).map((name) => [name, mean(models.map((rows) => rows[question]?.[name] ?? 0))]),
    ),
  );
}

/** The models of all folds against the base where they were not trained for: forgetting, by vectors alone and with BM25. */
export async function compareAbroad({ settings, stages, runner, recipe }: LaterWork): Promise<Foreign[]> {
  const { foreign_question_files: files = [], output_dir, seed } = settings;
  const steps = foreignSteps(settings, stages, recipe, files);
  runner.plan(steps);
  await runner.run(steps.length);
  return Promise.all(
    files.map(async (file, i) => {
      const systems = await readSystems(join(output_dir, `foreign-${i + 1}`));
      const sources = (await readQuestions(file)).flatMap((row) => row.questions.map(() => sourceOf(row)));
      const compared = (["dense", "hybrid"] as const).flatMap((kind) => {
        const [base, ...tuned] = systems.filter((system) => system.kind === kind).map(({ rows }) => rows);
        if (base === undefined || tuned.length !== settings.folds)
          throw new DataError(
            `${output_dir}: expected the base and ${settings.folds} models on ${file}. Remove foreign-${i + 1}, and run again.`,
          );
        const after = meanOver(tuned);
        return comparedNames(Object.keys(base[0] ?? {})).map((figure) => ({
          kind,
          figure,
          ...pairedDifference(
            base.map((row) => row[figure] ?? 0),
            after.map((row) => row[figure] ?? 0),
            { seed, sources },
          ),
        }));
      });
      return {
        lines: [
          `${file}, ${sources.length} questions of another field: base against the mean of the ${settings.folds} tuned models`,
          ...compared.map(
            ({ kind, figure, mean_a, mean_b, difference, low, high }) =>
              `  ${kind === "dense" ? "vectors" : "vectors + BM25"}, ${figureTitle(figure)}: ${mean_a.toFixed(3)} to ${mean_b.toFixed(3)}, ${signed(difference)} (${signed(low)} to ${signed(high)})`,
          ),
        ],
        record: { questions: file, differences: compared },
      };
    }),
  );
}
