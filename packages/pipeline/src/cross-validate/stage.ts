import { rm } from "node:fs/promises";
import { join } from "node:path";
import {
  type Document,
  formatSeconds,
  type QuestionsRow,
  questionCount,
  readDocuments,
  readQuestions,
  type Stage,
  type StageContext,
  type StageResult,
  sourceOf,
  UserError,
  withFolderLock,
  withSplitProcedure,
  writeJsonAtomic,
  writeJsonl,
} from "@rag-ft/core";
import { totalSteps } from "@rag-ft/train";
import { compareAbroad, type Foreign } from "./abroad.js";
import { chooseRecipe, type Recipe } from "./choose-recipe.js";
import { type FoldFigures, readFold } from "./collect-results.js";
import { evaluationsOf, secondsAPassage, secondsOf } from "./estimate-time.js";
import { type FoldStages, foldFile, foldSteps, testFolder } from "./fold-steps.js";
import { type Fold, foldsBySource } from "./folds.js";
import { type Curve, measureCurve } from "./learning-curve.js";
import { raceVariants } from "./race.js";
import { type CrossValidateSettings, crossValidateSettings } from "./settings.js";
import { StepRunner } from "./step-runner.js";
import { describeSystems, differencesOf, renderTables, systemsOf } from "./summary.js";
import { type Variant, variantsOf } from "./variants.js";

/** About how long the trainings take, from what one passage takes on this machine now. */
async function estimate(
  settings: CrossValidateSettings,
  {
    folds,
    variants,
    documents,
  }: { folds: readonly Fold[]; variants: readonly Variant[]; documents: readonly Document[] },
  context: StageContext,
): Promise<number> {
  const { per_device_train_batch_size: batch, gradient_accumulation_steps: parts } = settings;
  const { extra_positives, distil_from, distil_passages } = settings;
  const further = extra_positives + (distil_from === undefined ? 0 : distil_passages - 1);
  const aPassage = await secondsAPassage(settings.model_path, documents, settings, context);
  const each = variants.map((variant) =>
    folds.map((fold) => {
      const steps = totalSteps({ ...settings, learning_rate: 0, ...variant.settings }, questionCount(fold.train));
      return secondsOf(
        {
          passages: documents.length,
          steps,
          passagesAStep: parts * batch * (1 + (variant.settings.hard_neg_ratio ?? 0) + further),
          embeddings: evaluationsOf(steps, settings),
        },
        aPassage,
      );
    }),
  );
  const trainings = each.flat();
  const seconds = trainings.reduce((a, b) => a + b, 0) + documents.length * aPassage;
  context.reporter.info(
    `${trainings.length} trainings (${variants.length} of each of ${folds.length} folds), about ${formatSeconds(seconds / trainings.length)} each, ` +
      `${formatSeconds(seconds)} in all (${(aPassage * 1000).toFixed(0)} ms to embed a passage); what is done already takes no time`,
  );
  return seconds;
}

/** What is asked for and cannot be had together. */
function checkTogether(settings: CrossValidateSettings, variants: readonly Variant[]): void {
  const { do_eval, learning_curve, time_budget, foreign_question_files, foreign_dataset_file_path } = settings;
  if (new Set(variants.map(({ folder }) => folder)).size < variants.length)
    throw new UserError("A value stands twice in one of the lists of variants. Give each once.");
  if (!do_eval && variants.length > 1 && (learning_curve.length > 0 || time_budget !== undefined))
    throw new UserError(
      "learning_curve and time_budget need do_eval true where there are several variants: one is chosen by the eval questions.",
    );
  if ((foreign_question_files === undefined) !== (foreign_dataset_file_path === undefined))
    throw new UserError("foreign_question_files and foreign_dataset_file_path belong together. Give both, or neither.");
}

/** Whatever its question was made for: the sets of a fold share no source. */
const asFoldRow = (row: QuestionsRow): QuestionsRow => withSplitProcedure(row, "source");

async function writeFolds(output: string, folds: readonly Fold[]): Promise<void> {
  for (const [i, fold] of folds.entries())
    for (const split of ["train", "eval", "test"] as const)
      await writeJsonl(foldFile(output, i + 1, split), fold[split].map(asFoldRow));
}

/** Every variant's figures in all folds, question by question. */
async function readVariants(
  { output_dir, folds }: CrossValidateSettings,
  variants: readonly Variant[],
): Promise<Map<Variant, FoldFigures[]>> {
  const found = new Map<Variant, FoldFigures[]>();
  for (const variant of variants) {
    const all = Array.from({ length: folds }, (_, i) => readFold(testFolder(output_dir, variant, i + 1)));
    found.set(variant, await Promise.all(all));
  }
  return found;
}

interface Validated {
  variants: readonly Variant[];
  dropped: readonly Variant[];
  recipe: Recipe | undefined;
  curve: Curve | undefined;
  foreign: readonly Foreign[];
  read: Map<Variant, FoldFigures[]>;
}

/** All trainings and tests. */
async function runAll(
  settings: CrossValidateSettings,
  { folds, variants, sources }: { folds: readonly Fold[]; variants: readonly Variant[]; sources: readonly string[] },
  stages: FoldStages,
  context: StageContext,
): Promise<Validated> {
  const { output_dir, seed } = settings;
  const planned = folds.flatMap((_, i) =>
    variants.flatMap((variant) => foldSteps(settings, stages, { variant, fold: i + 1 })),
  );
  const runner = await StepRunner.open(planned, output_dir, context);
  const raced = await raceVariants(settings, variants, runner, context);
  const read = await readVariants(settings, raced.kept);
  const recipe = settings.do_eval ? await chooseRecipe(settings, raced.kept, read) : undefined;
  const chosen = recipe?.variant ?? (raced.kept[0] as Variant);
  const work = { settings, stages, runner, context, recipe: chosen };
  const curve = await measureCurve(work, { folds, whole: read.get(chosen) ?? [], options: { seed, sources } });
  const foreign = await compareAbroad(work);
  return { variants: raced.kept, dropped: raced.dropped, recipe, curve, foreign, read };
}

async function crossValidate(
  settings: CrossValidateSettings,
  context: StageContext,
  stages: FoldStages,
): Promise<StageResult> {
  const { output_dir, full_dataset_file_path, question_files, seed } = settings;
  const documents = await readDocuments(full_dataset_file_path);
  const rows = (await Promise.all(question_files.map(readQuestions))).flat();
  const folds = foldsBySource(rows, settings.folds, seed);
  const variants = variantsOf(settings);
  checkTogether(settings, variants);
  const seconds = await estimate(settings, { folds, variants, documents }, context);
  if (settings.estimate_only) return { outputs: [], figures: { estimated_seconds: seconds } };
  await writeFolds(output_dir, folds);
  await rm(join(output_dir, "cross-validation.json"), { force: true }); // of other settings
  const sources = folds.flatMap(({ test }) => test.flatMap((row) => row.questions.map(() => sourceOf(row))));
  const { read, recipe, curve, foreign, dropped } = await runAll(
    settings,
    { folds, variants, sources },
    stages,
    context,
  );
  const systems = systemsOf(read, recipe);
  const options = { seed, sources };
  const differences = differencesOf(systems, options);
  const path = join(output_dir, "cross-validation.json");
  const questions = systems[0]?.rows.length ?? 0;
  await writeJsonAtomic(path, {
    version: 1,
    questions,
    passages: documents.length,
    split_by: "source",
    folds: folds.map((fold) => ({
      train: questionCount(fold.train),
      eval: questionCount(fold.eval),
      test: questionCount(fold.test),
    })),
    variants: variants.map((variant) => ({
      name: variant.name,
      ...variant.settings,
      ...(dropped.includes(variant) ? { dropped: true } : {}),
    })),
    systems: describeSystems(systems, options),
    differences: differences.map(({ low, high, ...rest }) => ({
      ...rest,
      ...(Number.isFinite(low) ? { ci95: [low, high] } : {}),
    })),
    ...(recipe && { recipe: recipe.record }),
    ...(curve && { learning_curve: curve.record }),
    ...(foreign.length > 0 && { foreign: foreign.map(({ record }) => record) }),
  });
  return {
    outputs: [path],
    figures: Object.fromEntries(
      differences.map(({ from, to, figure, difference }) => [`${to} - ${from}/${figure}`, difference]),
    ),
    summary: [
      `${questions} questions in ${folds.length} folds by source over ${documents.length} passages; each is measured by a model that was not trained on its source`,
      renderTables(systems, differences, options),
      ...(recipe && variants.length > 1 ? ["", ...recipe.lines] : []),
      ...(curve ? ["", ...curve.lines] : []),
      ...foreign.flatMap(({ lines }) => ["", ...lines]),
    ].join("\n"),
  };
}

/**
 * `rag-ft cross-validate`: does fine-tuning the retriever help on these questions, and by which recipe? It runs train-retriever and test-retriever on
 * each fold, and so is here and no package of its own: stages do not know each other.
 */
export function createCrossValidate(stages: FoldStages): Stage<CrossValidateSettings> {
  return {
    name: "cross-validate",
    summary: "Train and measure the retriever on folds of the questions by source; say with intervals whether it helps",
    settings: crossValidateSettings,
    aliases: { model_name_or_path: "model_path", train_file: "question_files" },
    inputs: [
      "model_path",
      "full_dataset_file_path",
      "question_files",
      "distil_from",
      "foreign_question_files",
      "foreign_dataset_file_path",
    ],
    run: (settings, context) =>
      settings.estimate_only
        ? crossValidate(settings, context, stages)
        : withFolderLock(
            settings.output_dir,
            (signal) => crossValidate(settings, { ...context, signal }, stages),
            context,
          ),
  };
}
