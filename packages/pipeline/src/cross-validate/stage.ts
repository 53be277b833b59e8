import { rm } from "node:fs/promises";
import { join } from "node:path";
import {
  type Document,
  formatSeconds,
  InternalError,
  type QuestionsRow,
  readDocuments,
  readQuestions,
  type Stage,
  type StageContext,
  type StageResult,
  sourceOf,
  throwIfCancelled,
  UserError,
  withFolderLock,
  withSplitProcedure,
  writeJsonAtomic,
  writeJsonl,
} from "@rag-ft/core";
import { totalSteps } from "@rag-ft/train";
import type { AnyStage, SettingValues } from "../any-stage.js";
import { parseSettings } from "../parse-settings.js";
import { readRunState } from "../run/run-state.js";
import { type PreparedStep, runStep } from "../run/run-step.js";
import { FOLD_SYSTEMS, type FoldSystem, type QuestionFigures, readFold } from "./collect-results.js";
import { evaluationsOf, secondsAPassage, secondsOf } from "./estimate-time.js";
import { type Fold, foldsBySource, questionCount } from "./folds.js";
import { type CrossValidateSettings, crossValidateSettings, type Variant, variantsOf } from "./settings.js";
import { describeSystems, differencesOf, renderTables, type ValidatedSystem } from "./summary.js";

/** The two stages that do a fold's work. */
export interface FoldStages {
  trainRetriever: AnyStage;
  testRetriever: AnyStage;
}

function prepared(id: string, stage: AnyStage, given: SettingValues): PreparedStep {
  const parsed = parseSettings(stage, given);
  if (parsed.problems)
    throw new InternalError(
      `${stage.name}: ${parsed.problems.map(({ key, message }) => `${key}: ${message}`).join("; ")}`,
    );
  return { id, stage, values: parsed.values };
}

/** A training and its test for each fold of each variant, in that order. */
function stepsOf(
  settings: CrossValidateSettings,
  variants: readonly Variant[],
  { trainRetriever, testRetriever }: FoldStages,
): PreparedStep[] {
  const { question_files, folds, estimate_only, output_dir, ...common } = settings;
  return variants.flatMap((variant) =>
    Array.from({ length: folds }, (_, i) => i + 1).flatMap((fold) => {
      const data = join(output_dir, "folds", String(fold));
      const model = join(output_dir, variant.folder, `fold-${fold}`);
      const id = `${variant.folder}/fold-${fold}`;
      return [
        prepared(id, trainRetriever, {
          ...common,
          ...variant.settings,
          temperature: variant.settings.temperature,
          train_file: join(data, "train_w_q.jsonl"),
          eval_file: join(data, "eval_w_q.jsonl"),
          output_dir: model,
          index_path: join(output_dir, "index"),
        }),
        prepared(`${id}/test`, testRetriever, {
          model_path: [settings.model_path, model],
          label: ["base", "tuned"],
          retrieval: "hybrid",
          document_path: settings.full_dataset_file_path,
          eval_data_path: join(data, "test_w_q.jsonl"),
          output_dir: `${model}-test`,
          index_path: join(output_dir, "index"),
          device: settings.device,
          seed: settings.seed,
        }),
      ];
    }),
  );
}

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
  const { hard_neg_ratio, extra_positives, distil_from, distil_passages } = settings;
  const further = extra_positives + (distil_from === undefined ? 0 : distil_passages - 1);
  const aPassage = await secondsAPassage(settings.model_path, documents, settings, context);
  const each = variants.map((variant) =>
    folds.map((fold) => {
      const steps = totalSteps({ ...settings, ...variant.settings }, questionCount(fold.train));
      return secondsOf(
        {
          passages: documents.length,
          steps,
          passagesAStep: parts * batch * (1 + hard_neg_ratio + further),
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

/** Runs all steps; says after each how long the others may take, by those that ran. */
async function runSteps(steps: readonly PreparedStep[], workDir: string, context: StageContext): Promise<void> {
  const state = await readRunState(workDir);
  const began = Date.now();
  let ran = 0;
  for (const index of steps.keys()) {
    throwIfCancelled(context.signal);
    const { isNew, summary } = await runStep({ steps, index, state, force: false }, workDir, context);
    if (!isNew) continue;
    if (summary) context.reporter.info(summary.trimEnd());
    ran++;
    const left = steps.length - index - 1;
    if (ran % 2 === 0 && left > 0)
      context.reporter.info(`about ${formatSeconds((((Date.now() - began) / ran) * left) / 1000)} left`);
  }
}

/** All folds' questions one after the other, for each retriever. The base is the same in all variants. */
async function systemsOf(
  { output_dir }: CrossValidateSettings,
  folds: number,
  variants: readonly Variant[],
): Promise<ValidatedSystem[]> {
  const read = async ({ folder }: Variant): Promise<Record<FoldSystem, QuestionFigures[]>> => {
    const all: Record<FoldSystem, QuestionFigures[]>[] = [];
    for (let fold = 1; fold <= folds; fold++) all.push(await readFold(join(output_dir, folder, `fold-${fold}-test`)));
    return Object.fromEntries(FOLD_SYSTEMS.map((name) => [name, all.flatMap((one) => one[name])])) as Record<
      FoldSystem,
      QuestionFigures[]
    >;
  };
  const systems: ValidatedSystem[] = [];
  for (const variant of variants) {
    const { bm25, base, base_hybrid, tuned, tuned_hybrid } = await read(variant);
    if (systems.length === 0)
      systems.push(
        { name: "BM25", rows: bm25, against: [] },
        { name: "base", rows: base, against: [] },
        { name: "base + BM25", rows: base_hybrid, against: [] },
      );
    systems.push(
      { name: variant.name, rows: tuned, against: ["base"] },
      { name: `${variant.name} + BM25`, rows: tuned_hybrid, against: ["base + BM25", "base"] },
    );
  }
  return systems;
}

/** Whatever its question was made for: the sets of a fold share no source. */
const asFoldRow = (row: QuestionsRow): QuestionsRow => withSplitProcedure(row, "source");

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
  if (new Set(variants.map(({ folder }) => folder)).size < variants.length)
    throw new UserError("learning_rate, temperature and max_steps: a value stands twice in a list. Give each once.");
  const steps = stepsOf(settings, variants, stages);
  const seconds = await estimate(settings, { folds, variants, documents }, context);
  if (settings.estimate_only) return { outputs: [], figures: { estimated_seconds: seconds } };
  for (const [i, fold] of folds.entries())
    for (const split of ["train", "eval", "test"] as const)
      await writeJsonl(join(output_dir, "folds", String(i + 1), `${split}_w_q.jsonl`), fold[split].map(asFoldRow));
  await rm(join(output_dir, "cross-validation.json"), { force: true }); // of other settings
  await runSteps(steps, output_dir, context);
  const systems = await systemsOf(settings, folds.length, variants);
  const sources = folds.flatMap(({ test }) => test.flatMap((row) => row.questions.map(() => sourceOf(row))));
  const differences = differencesOf(systems, { seed, sources });
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
    variants: variants.map(({ name, settings: own }) => ({ name, ...own })),
    systems: describeSystems(systems, { seed, sources }),
    differences: differences.map(({ low, high, ...rest }) => ({
      ...rest,
      ...(Number.isFinite(low) ? { ci95: [low, high] } : {}),
    })),
  });
  return {
    outputs: [path],
    figures: Object.fromEntries(
      differences.map(({ from, to, figure, difference }) => [`${to} - ${from}/${figure}`, difference]),
    ),
    summary: [
      `${questions} questions in ${folds.length} folds by source over ${documents.length} passages; each is measured by a model that was not trained on its source`,
      renderTables(systems, differences, { seed, sources }),
      ...(variants.length > 1
        ? ["", "The best of several variants looks a little better here than it is: it was chosen on these questions."]
        : []),
    ].join("\n"),
  };
}

/**
 * `rag-ft cross-validate`: does fine-tuning the retriever help on these questions? It runs train-retriever and test-retriever on each fold,
 * and so is here and no package of its own: stages do not know each other.
 */
export function createCrossValidate(stages: FoldStages): Stage<CrossValidateSettings> {
  return {
    name: "cross-validate",
    summary: "Train and measure the retriever on folds of the questions by source; say with intervals whether it helps",
    settings: crossValidateSettings,
    aliases: { model_name_or_path: "model_path", train_file: "question_files" },
    inputs: ["model_path", "full_dataset_file_path", "question_files", "distil_from"],
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
