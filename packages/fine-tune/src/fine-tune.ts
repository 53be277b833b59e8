import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  cleanTemporaries,
  DataError,
  removeFolderAtomic,
  type StageContext,
  type StageResult,
  UserError,
  withFolderLock,
} from "@rag-ft/core";
import {
  type LoraAdapters,
  precisionHere,
  requireDevice,
  restoreWeights,
  safetensorsFiles,
  writeAdapter,
} from "@rag-ft/models";
import {
  checkpointFolder,
  ignoredSettings,
  loraSettings,
  requireCheckpoint,
  runTraining,
  startsAnew,
  type TrainingOutcome,
} from "@rag-ft/train";
import type { FineTuneSettings } from "./fine-tune-settings.js";
import type { FineTuneTask, OpenedTask } from "./fine-tune-task.js";
import { FROZEN_STATES, frozenLine } from "./frozen-states.js";
import { type Choice, writeChoice } from "./result/choice.js";
import { chooseResult } from "./result/choose-result.js";
import { measuringFolder } from "./result/measuring-folder.js";
import { writeModelCard } from "./result/model-card.js";
import { promoteCheckpoint } from "./result/promote-checkpoint.js";
import { type Kept, reportResult } from "./result/report-result.js";
import { checkResultSettings } from "./result/result-settings.js";
import { keepUnrecorded, removeUnrecorded, unrecordedResult } from "./result/unrecorded-result.js";

/** In the output folder of a training by another engine: what was taken in. A training here removes it. */
export const IMPORTED_FILE = "imported.json";

/** Weights that another engine trained. */
export interface ImportedWeights {
  /** A folder that the task's base reads such weights from. */
  folder: string;
  /** Of the checkpoint that they are. */
  step: number;
}

interface Run {
  settings: FineTuneSettings;
  context: StageContext;
  opened: OpenedTask;
  task: FineTuneTask;
  adapters: LoraAdapters | undefined;
  /** The task's, with the adapters beside the model. */
  save(folder: string, extra?: (temporary: string) => Promise<void>): Promise<void>;
  imported: ImportedWeights | undefined;
}

/**
 * A training stage from its lock to its summary.
 *
 * 1. Check the settings that all such stages have, and the device and checkpoint that they ask for.
 * 2. `open`: the stage reads all inputs and the model. A mistake in any of them then costs nothing, and nothing was written.
 * 3. Put adapters on the model; `prepare`: the stage does what takes long.
 * 4. Train, evaluating with `do_eval`, from where an earlier run of the same command was stopped.
 * 5. Choose between the base, the best checkpoint and weights between the two; make that the model of `output_dir`; write choice.json.
 * 6. `compare`; measure base and result on the test questions; write test.json and the model card; show all figures in a table.
 * 7. Remove what only an unfinished run needs; close what was opened.
 *
 * A new stage, such as a reranker's, has `settings.ts` with `...trainingSettings`, `...resultSettings` and its own, and a `run` of
 * `fineTune(settings, context, (held) => open(settings, held))`. Its `open` reads pairs of questions and passages and a cross-encoder; its
 * `prepare` gives the pairs' tokens, a step that adds gradients of its loss to the model's, the ranking of the eval questions as figures,
 * the columns that show them, and how the model is saved. Dropping in all the rest: LoRA, `resume_from_checkpoint`, `interpolate`,
 * `keep_base_unless`, test.json. fine-tune.test.ts is such a stage in small.
 *
 * @param open Is given the context whose signal also tells that the folder's lock is lost.
 * @throws UserError when there is nothing to do, or what is asked for is not there; what the stage throws; CancelledError when it is stopped.
 */
export function fineTune(
  settings: FineTuneSettings,
  context: StageContext,
  open: (held: StageContext) => Promise<OpenedTask>,
): Promise<StageResult> {
  if (settings.do_train === false) return evaluateOnly(settings, context, open);
  return withFolderLock(settings.output_dir, (signal) => openAndTrain(settings, { ...context, signal }, open), context);
}

/** A training that lies in the output folder stays as it is, to the bit. */
async function evaluateOnly(
  settings: FineTuneSettings,
  context: StageContext,
  open: (held: StageContext) => Promise<OpenedTask>,
): Promise<StageResult> {
  const output_dir = await measuringFolder(settings.output_dir);
  if (output_dir !== settings.output_dir)
    context.reporter.info(`${settings.output_dir} holds a training, which stays as it is: figures go to ${output_dir}`);
  const result = await withFolderLock(
    output_dir,
    (signal) => openAndTrain({ ...settings, output_dir }, { ...context, signal }, open),
    context,
  );
  return { ...result, record_folder: output_dir };
}

/**
 * The same stage where another engine has trained: base and imported weights are measured, one of them or weights between the two are chosen, promoted and
 * reported as after a training here. The caller holds the folder's lock and has written the logs.
 */
export function adoptImported(
  settings: FineTuneSettings,
  context: StageContext,
  open: (held: StageContext) => Promise<OpenedTask>,
  imported: ImportedWeights,
): Promise<StageResult> {
  return openAndTrain(settings, context, open, imported);
}

async function openAndTrain(
  settings: FineTuneSettings,
  context: StageContext,
  open: (held: StageContext) => Promise<OpenedTask>,
  imported?: ImportedWeights,
): Promise<StageResult> {
  const { reporter } = context;
  if (settings.do_train === false && !settings.do_eval)
    throw new UserError("do_train and do_eval are both false: nothing to do.");
  checkResultSettings(settings);
  // Imported weights are whole.
  const lora = imported ? undefined : loraSettings(settings);
  if (!imported) await requireCheckpoint(settings);
  await requireDevice(settings.device);
  const precision = precisionHere(settings.precision, settings.device, reporter);
  const opened = await open(context);
  const ignored = imported ? undefined : ignoredSettings(settings);
  if (ignored) reporter.info(ignored);
  if (opened.announcement) reporter.info(opened.announcement);
  const { threads, device } = settings;
  const session = { threads, device, precision };
  const adapters = lora && opened.adapters(lora, session);
  try {
    if (adapters) reporter.info(adapters.describe());
    const task = await opened.prepare(session, adapters);
    try {
      if (task.model.frozen && task.steps > 0) reporter.info(frozenLine(task.model.frozen.part));
      const save: Run["save"] = async (folder, extra) => {
        await task.model.memory?.fetch();
        await task.save(folder, async (temporary) => {
          const { modelName: base, adapterTask, wholeBesideAdapters: whole } = opened;
          if (adapters)
            await writeAdapter(temporary, adapters, { base, task: adapterTask, ...(whole ? { whole } : {}) });
          await extra?.(temporary);
        });
      };
      return await train({ settings, context, opened, task, adapters, save, imported });
    } finally {
      await task.close();
    }
  } finally {
    await adapters?.close();
  }
}

async function train(run: Run): Promise<StageResult> {
  const { settings, context, task, adapters, save } = run;
  const { identity, steps, model, metric, test } = task;
  const { output_dir } = settings;
  const settle = (): Promise<void> => removeUnrecorded(output_dir);
  if (run.imported) return conclude(run, await importedOutcome(run, run.imported));
  if (steps > 0) {
    await rm(join(output_dir, IMPORTED_FILE), { force: true });
    const finished = startsAnew(settings) ? undefined : await unrecordedResult(output_dir, identity);
    if (finished) {
      await cleanTemporaries(output_dir);
      context.reporter.info(`${output_dir}: trained already by a run that was killed before its record was written`);
      return { ...finished, settle };
    }
    await settle();
  }
  const outcome = await runTraining({
    settings,
    identity,
    steps,
    weights: model.trained,
    onWeightsChanged: async () => adapters?.merge(),
    gradients: model.gradients,
    memory: model.memory,
    runStep: (step) => task.runStep(step),
    ...(settings.do_eval
      ? {
          evaluate: async (step: number) => {
            const evaluation = await task.evaluate({ step });
            if (step !== 0 || !test) return evaluation;
            const { figures, rows } = await test.measure({ step });
            return { ...evaluation, test: figures, testRows: rows };
          },
        }
      : {}),
    metric,
    save,
    files: safetensorsFiles,
    reporter: context.reporter,
    signal: context.signal,
  });
  const result = await conclude(run, outcome, async (result) => {
    if (context.records && steps > 0) await keepUnrecorded(output_dir, identity, result);
  });
  return context.records && steps > 0 ? { ...result, settle } : result;
}

/** From a training's outcome to its summary; `keep` is the last of it, before what only an unfinished run needs is removed. */
function conclude(
  run: Run,
  outcome: TrainingOutcome,
  keep: (result: StageResult) => Promise<void> = async () => {},
): Promise<StageResult> {
  const { settings, context, task } = run;
  return outcome.conclude(async () => {
    const choice = settings.do_train === false ? undefined : await keepResult(run, outcome);
    await writeChoice(settings.output_dir, choice, task.metric.name);
    const kept: Kept = choice?.kept ?? { step: outcome.bestStep, figures: outcome.bestFigures };
    const result = await reportResult({ settings, task, outcome, choice, kept });
    if (task.card && task.steps > 0) {
      const { modelName, base } = run.opened;
      const frozen = task.model.frozen?.part;
      const about = { settings, modelName, baseFolder: base.folder, facts: task.card, choice, kept, frozen };
      await writeModelCard(about, context);
    }
    // Also that of a run before, which had other settings.
    if (task.steps > 0) await removeFolderAtomic(join(settings.output_dir, FROZEN_STATES));
    await keep(result);
    return result;
  });
}

/** Measures base and imported weights; what is better is the best, as of a training that was evaluated once. */
async function importedOutcome(
  { settings, task, opened, save }: Run,
  { folder, step }: ImportedWeights,
): Promise<TrainingOutcome> {
  const { metric, test } = task;
  await mkdir(settings.output_dir, { recursive: true });
  await cleanTemporaries(settings.output_dir);
  const base = settings.do_eval ? await task.evaluate({ step: 0 }) : undefined;
  const baseTest = base && (await test?.measure({ step: 0 }));
  await restoreWeights(opened.base.weights, folder, opened.base.readWeights, task.model.memory);
  const bestFolder = checkpointFolder(settings.output_dir, step);
  await save(bestFolder);
  const tuned = settings.do_eval ? await task.evaluate({ step }) : undefined;
  const [before, after] = [base, tuned].map((one) => one?.figures[metric.name] as number);
  if (tuned !== undefined && !Number.isFinite(after))
    throw new DataError(
      `${folder}: ${metric.name} of what the job trained is ${after}: the training has diverged. Export again with a lower learning_rate.`,
    );
  const isBetter = base === undefined || (metric.greaterIsBetter ? after > before : after < before);
  const best = isBetter ? tuned : base;
  return {
    bestStep: isBetter ? step : 0,
    ...{ bestFigures: best?.figures, baseFigures: base?.figures, bestValues: best?.values, baseValues: base?.values },
    ...{ baseTest: baseTest?.figures, baseTestRows: baseTest?.rows, bestFolder: isBetter ? bestFolder : undefined },
    conclude: (work) => work(),
  };
}

/** Makes what is chosen the model of the output folder. */
async function keepResult(
  { settings, opened, task, adapters, save }: Run,
  outcome: TrainingOutcome,
): Promise<Choice | undefined> {
  const { metric, steps, model } = task;
  const { folder, isOnDisk, choice } = await chooseResult({
    settings,
    metric,
    base: opened.base,
    trained: model.trained,
    memory: model.memory,
    adapters,
    outcome,
    steps,
    sources: task.sources,
    evaluate: (place) => task.evaluate(place),
  });
  if (!isOnDisk) await save(folder);
  for (const name of task.filesOfWeights ?? []) await rm(join(settings.output_dir, name), { force: true });
  await promoteCheckpoint(folder, settings.output_dir);
  return choice;
}
