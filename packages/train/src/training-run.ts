import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  appendJsonl,
  CancelledError,
  cleanTemporaries,
  copyFileAtomic,
  DataError,
  type Reporter,
  throwIfCancelled,
} from "@rag-ft/core";
import { hostMemory, type TensorMemory } from "@rag-ft/onnx";
import { Checkpoints, type SaveModel } from "./checkpoint/checkpoints.js";
import { chooseStart, NOTHING_BEFORE, type Start } from "./checkpoint/choose-start.js";
import { checkpointFolder } from "./checkpoint/find-checkpoints.js";
import type { RunIdentity } from "./checkpoint/run-identity.js";
import type { TensorFiles } from "./checkpoint/tensor-files.js";
import { LOGS, restoreTensors, TRAINER_STATE } from "./checkpoint/trainer-state.js";
import type { Parameter } from "./optimizer/adamw.js";
import type { GradientSums } from "./optimizer/gradients.js";
import { OptimizerLoop, peakRssMb } from "./optimizer/optimizer-loop.js";
import { StepLog } from "./step-log.js";
import { openTracker, type Tracker } from "./tracker/tracker.js";
import type { TrainingSettings } from "./training-settings.js";

/** Figures by name, as a line of eval.jsonl has them. */
export type Figures = Record<string, number>;

export interface Evaluation {
  figures: Figures;
  /** The deciding figure's value for each example, in order: what tells a change from chance. */
  values?: number[];
  /** The test file's figures, which choose nothing; kept at step 0, for the base. */
  test?: Figures;
  /** The same question by question, in order, where they are means over questions. */
  testRows?: Figures[] | undefined;
}

/** What one step did, before the optimizer. */
export interface StepResult {
  loss: number;
  examples: number;
  /** Tokens that went through the model, padding not counted. */
  tokens: number;
  /** The step's examples in short, for when the loss is not finite. */
  describe(): string;
}

/** A model in training, as the loop sees it: it knows neither architecture nor data. */
export interface TrainingTask {
  settings: TrainingSettings;
  /** Settings and inputs that a checkpoint must share for this run to go on from it. */
  identity: RunIdentity;
  steps: number;
  /** What is trained: the optimizer changes these arrays in place. */
  weights: ReadonlyMap<string, Omit<Parameter, "name">>;
  /** Called each time after `weights` were changed: a model that computes something from them does it here. */
  onWeightsChanged?: () => Promise<void>;
  /** Sums that `runStep` adds to; set to zero by each step of the optimizer. */
  gradients: GradientSums;
  /** Where weights and sums stand between runs; by default the arrays themselves. */
  memory?: TensorMemory | undefined;
  /** Loss and gradients of the examples of step `step`, counted from 1: a function of the weights and this number. */
  runStep(step: number): Promise<StepResult>;
  /** Evaluates the present weights; undefined: no evaluation. */
  evaluate?: (step: number) => Promise<Evaluation>;
  /** The figure that chooses the best checkpoint, and its direction. */
  metric: { name: string; greaterIsBetter: boolean };
  /** Writes the present weights as a model folder. */
  save: SaveModel;
  /** How the trainer's state goes to files. */
  files: TensorFiles;
  reporter: Reporter;
  signal: AbortSignal;
}

export interface TrainingOutcome {
  /** Step of the best checkpoint; 0 is the base. */
  bestStep: number;
  bestFigures: Figures | undefined;
  baseFigures: Figures | undefined;
  /** `Evaluation.values` of the best checkpoint and of the base; undefined without evaluations, or when they give none. */
  bestValues: number[] | undefined;
  baseValues: number[] | undefined;
  /** The base's figures on the test file. */
  baseTest: Figures | undefined;
  baseTestRows: Figures[] | undefined;
  /** The best checkpoint's folder; undefined when it is the base. */
  bestFolder: string | undefined;
  /** Does what is left to do with the outcome, then removes what only an unfinished run needs. */
  conclude<T>(work: () => Promise<T>): Promise<T>;
}

/** Time after which a checkpoint is written even where no evaluation is due: what a kill costs at most. */
const MOST_BETWEEN_CHECKPOINTS_MS = 10 * 60_000;

/**
 * The training loop.
 *
 * 1. Go on from a checkpoint of an unfinished run, if there is one; else evaluate the base: a run shows what training changed, and a
 *    later checkpoint has to beat it.
 * 2. Step; log every `logging_steps` to train.jsonl.
 * 3. Evaluate every `eval_steps` and after the last step, a line of eval.jsonl each. With `early_stopping_patience`, end when so many in a row were
 *    no better.
 * 4. Write a checkpoint to go on from: every `save_steps`, or at each evaluation and now and then; always when an evaluation is the best so
 *    far, after the last step, and when the run is asked to stop.
 *
 * A step depends on the weights, the optimizer's state, and its number; so a run that goes on ends as if it had never stopped.
 */
export async function runTraining(task: TrainingTask): Promise<TrainingOutcome> {
  // A run that only evaluates neither goes on from a checkpoint nor takes the place of one.
  const start = task.steps > 0 ? await chooseStart(task.settings, task.identity, task.reporter) : NOTHING_BEFORE;
  const run = new TrainingRun(task, start);
  await run.begin(start.from);
  try {
    await run.toTheEnd();
    await task.memory?.fetch();
  } catch (error) {
    throw error instanceof CancelledError ? await run.stopped() : error;
  } finally {
    await run.close();
  }
  return run.outcome();
}

/** Whether no element is NaN or infinite: either times 0 is NaN, and stays so in a sum. */
function allFinite(data: Float32Array): boolean {
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += (data[i] as number) * 0;
  return sum === 0;
}

class TrainingRun {
  private readonly output: string;
  private readonly memory: TensorMemory;
  private readonly optimizer: OptimizerLoop;
  private readonly checkpoints: Checkpoints;
  /** Steps done. */
  private step = 0;
  /** Whether the evaluation that is due after `step` has been made. */
  private evaluated = false;
  private readonly tracker: Tracker;
  private log = new StepLog();
  private bestStep = 0;
  private bestFigures: Figures | undefined;
  private baseFigures: Figures | undefined;
  private bestValues: number[] | undefined;
  private baseValues: number[] | undefined;
  private baseTest: Figures | undefined;
  private baseTestRows: Figures[] | undefined;
  /** What early stopping looks at; the base's figure is no part of it, as a new head starts below any base. */
  private patience: { best: number; since: number } | undefined;
  /** What the newest checkpoint holds. */
  private saved: { step: number; evaluated: boolean } | undefined;
  private savedAt = performance.now();

  constructor(
    private readonly task: TrainingTask,
    start: Start,
  ) {
    const { settings, steps, files } = task;
    this.output = settings.output_dir;
    this.memory = task.memory ?? hostMemory;
    this.optimizer = new OptimizerLoop(settings, steps, this.memory);
    this.tracker = openTracker(settings, task.reporter);
    this.checkpoints = new Checkpoints(this.output, settings.save_total_limit, files, start);
  }

  async begin(from: Start["from"]): Promise<void> {
    const { task, output } = this;
    await mkdir(output, { recursive: true });
    await cleanTemporaries(output);
    if (!from) return;
    const { state, folder } = from;
    this.optimizer.restore(await restoreTensors(folder, state, task.weights, task.files));
    this.memory.wrote([...task.weights.values()].map(({ data }) => data));
    await task.onWeightsChanged?.();
    await this.checkpoints.adopt(from);
    for (const log of LOGS) await copyFileAtomic(join(folder, TRAINER_STATE, log), join(output, log));
    this.step = state.step;
    this.evaluated = state.evaluated;
    this.log = new StepLog(state.log);
    this.bestStep = state.best_step;
    this.bestFigures = state.best_figures;
    this.baseFigures = state.base_figures;
    this.bestValues = state.best_values;
    this.baseValues = state.base_values;
    this.baseTest = state.base_test;
    this.baseTestRows = state.base_test_rows;
    this.patience = state.patience;
    this.saved = { step: state.step, evaluated: state.evaluated };
    await this.tracker.start(state.step);
    task.reporter.info(`${folder}: going on after step ${state.step} of ${task.steps}`);
  }

  close(): Promise<void> {
    return this.optimizer.close();
  }

  async toTheEnd(): Promise<void> {
    const { steps, reporter, signal } = this.task;
    if (!this.evaluated) await this.evaluate();
    const progress = reporter.start("training", steps, this.step);
    try {
      while (this.step < steps && !this.isOutOfPatience()) {
        throwIfCancelled(signal);
        const loss = await this.trainStep();
        progress.update(this.step, `loss ${loss.toFixed(4)}`);
        if (this.evaluated) await this.saveIfDue();
        else await this.evaluate();
      }
    } finally {
      progress.stop();
    }
  }

  private isOutOfPatience(): boolean {
    const { early_stopping_patience: most } = this.task.settings;
    const { patience, task, step } = this;
    if (most === undefined || patience === undefined || patience.since < most || step === task.steps) return false;
    task.reporter.info(
      `step ${step} of ${task.steps}: ${patience.since} evaluations in a row without a better ${task.metric.name}: training ends here`,
    );
    return true;
  }

  /** One step of the optimizer. Until it is done nothing of the step is kept: it may fail or be stopped. */
  private async trainStep(): Promise<number> {
    const { task } = this;
    const { settings, steps } = task;
    const step = this.step + 1;
    const started = performance.now();
    const result = await task.runStep(step);
    const examples = (): string =>
      `The step's examples: ${result.describe()}. Nothing of this step was kept${this.whatStays()}.`;
    if (!Number.isFinite(result.loss)) {
      throw new DataError(
        `Step ${step}: the loss is ${result.loss}. Lower learning_rate, or look at the data. ${examples()}`,
      );
    }
    const parameters = [...task.weights].map(([name, { data, shape }]) => ({ name, data, shape }));
    const { lr, gradNorm } = await this.optimizer.step(parameters, task.gradients, examples);
    await task.onWeightsChanged?.();
    this.step = step;
    const last = step === steps;
    this.evaluated = !(task.evaluate && (last || step % (settings.eval_steps || steps) === 0));
    this.log.add(result, performance.now() - started);
    if (last || step % settings.logging_steps === 0) {
      const line = { step, ...this.log.take(), lr, grad_norm: gradNorm, peak_rss_mb: peakRssMb() };
      await appendJsonl(join(this.output, "train.jsonl"), line);
      await this.tracker.log(step, line);
    }
    return result.loss;
  }

  private async evaluate(): Promise<void> {
    const { task, step } = this;
    const { metric, reporter } = task;
    if (step > 0 && this.isLongAgo()) await this.save();
    const evaluation = await task.evaluate?.(step);
    // Only now: a model that cannot even be evaluated leaves the logs of an earlier run as they were.
    if (step === 0) {
      for (const log of LOGS) await rm(join(this.output, log), { force: true });
      await this.tracker.start(0);
    }
    if (!evaluation) {
      this.evaluated = true;
      return;
    }
    const { figures, values, test, testRows } = evaluation;
    const value = figures[metric.name] as number;
    if (!Number.isFinite(value)) {
      const advice = step === 0 ? "Check the base model's files" : `Lower learning_rate${this.whatStays()}`;
      throw new DataError(`Step ${step}: ${metric.name} is ${value}: the weights give no finite numbers. ${advice}.`);
    }
    await appendJsonl(join(this.output, "eval.jsonl"), { step, ...figures });
    await this.tracker.log(step, figures);
    reporter.info(`step ${step}: ${metric.name} ${value.toFixed(4)}`);
    this.evaluated = true;
    if (step === 0) {
      this.baseFigures = figures;
      this.bestFigures = figures;
      this.baseValues = values;
      this.bestValues = values;
      this.baseTest = test;
      this.baseTestRows = testRows;
      return;
    }
    const held = this.bestFigures?.[metric.name];
    const isBetter = (than: number): boolean => (metric.greaterIsBetter ? value > than : value < than);
    const { patience } = this;
    this.patience =
      patience === undefined || isBetter(patience.best)
        ? { best: value, since: 0 }
        : { ...patience, since: patience.since + 1 };
    const better = held === undefined || isBetter(held);
    if (better) {
      this.bestFigures = figures;
      this.bestValues = values;
      this.bestStep = step;
    }
    if (better || task.settings.save_steps === 0) await this.save();
    else await this.saveIfDue();
  }

  private isLongAgo(): boolean {
    return performance.now() - this.savedAt > MOST_BETWEEN_CHECKPOINTS_MS;
  }

  private async saveIfDue(): Promise<void> {
    const { settings, steps } = this.task;
    const every = settings.save_steps;
    const due = every > 0 ? this.step % every === 0 : this.isLongAgo();
    if (due || this.step === steps) await this.save();
  }

  /** Writes a checkpoint, unless the newest one holds the same. */
  private async save(): Promise<void> {
    const { task, step, evaluated } = this;
    if (this.saved?.step === step && this.saved.evaluated === evaluated) return;
    // Without evaluations the last step is the best.
    if (!task.evaluate && step === task.steps) this.bestStep = step;
    await this.memory.fetch();
    for (const [name, { data }] of task.weights) {
      if (allFinite(data)) continue;
      throw new DataError(
        `Step ${step}: the weight ${name} is no longer finite: no checkpoint is written. Lower learning_rate${this.whatStays()}.`,
      );
    }
    const state = {
      identity: task.identity,
      step,
      steps: task.steps,
      evaluated,
      best_step: this.bestStep,
      best_figures: this.bestFigures,
      base_figures: this.baseFigures,
      best_values: this.bestValues,
      base_values: this.baseValues,
      base_test: this.baseTest,
      base_test_rows: this.baseTestRows,
      ...(task.settings.early_stopping_patience === undefined ? {} : { patience: this.patience }),
      log: this.log.totals(),
    };
    const tensors = { weights: task.weights, optimizer: this.optimizer.state() };
    await this.checkpoints.write(state, tensors, this.bestStep === step ? task.save : undefined);
    this.saved = { step, evaluated };
    this.savedAt = performance.now();
  }

  private whatStays(): string {
    const folder = this.checkpoints.newest();
    return folder === undefined ? "" : `; ${folder} stays`;
  }

  /** Writes a checkpoint of where the run is; returns the error that says how to go on. */
  async stopped(): Promise<CancelledError> {
    const { step, task } = this;
    if (step === 0) {
      return new CancelledError("Stopped on request before the first step was done: the same command starts anew.");
    }
    await this.save();
    return new CancelledError(
      `Stopped on request after step ${step} of ${task.steps}, kept in ${this.checkpoints.newest()}. The same command goes on from there.`,
    );
  }

  outcome(): TrainingOutcome {
    const { output, bestStep, bestFigures, baseFigures, bestValues, baseValues, baseTest, baseTestRows } = this;
    return {
      bestStep,
      bestFigures,
      baseFigures,
      bestValues,
      baseValues,
      baseTest,
      baseTestRows,
      bestFolder: bestStep === 0 ? undefined : checkpointFolder(output, bestStep),
      conclude: async (work) => {
        try {
          const result = await work();
          await this.checkpoints.finish(bestStep);
          return result;
        } catch (error) {
          throw error instanceof CancelledError && this.step > 0 ? await this.stopped() : error;
        }
      },
    };
  }
}
