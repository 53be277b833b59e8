import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { appendJsonl, DataError, type Reporter, throwIfCancelled } from "@rag-ft/core";
import type { Parameter } from "./optimizer/adamw.js";
import type { GradientSums } from "./optimizer/gradients.js";
import { OptimizerLoop, peakRssMb } from "./optimizer/optimizer-loop.js";
import type { TrainingSettings } from "./training-settings.js";

/** Figures by name, as a line of eval.jsonl has them. */
export type Figures = Record<string, number>;

/** What one step did, before the optimizer. */
export interface StepResult {
  loss: number;
  examples: number;
  /** Tokens that went through the model, padding not counted. */
  tokens: number;
  /** What to look at when the loss is not finite. */
  describe?: () => string;
}

/** A model in training, as the loop sees it: it knows neither architecture nor data. */
export interface TrainingTask {
  settings: TrainingSettings;
  steps: number;
  /** What is trained: the optimizer changes these arrays in place. */
  weights: ReadonlyMap<string, Omit<Parameter, "name">>;
  /** Called each time after `weights` were changed: a model that computes something from them does it here. */
  onWeightsChanged?: () => Promise<void>;
  /** Sums that `runStep` adds to; set to zero by each step of the optimizer. */
  gradients: GradientSums;
  /** Loss and gradients of one step's examples. */
  runStep(): Promise<StepResult>;
  /** Evaluates the present weights; undefined: no evaluation. */
  evaluate?: (step: number) => Promise<Figures>;
  /** The figure that chooses the best checkpoint, and its direction. */
  metric: { name: string; greaterIsBetter: boolean };
  /** Writes the present weights as a checkpoint folder. */
  save(folder: string): Promise<void>;
  reporter: Reporter;
  signal: AbortSignal;
}

export interface TrainingOutcome {
  /** Step of the best checkpoint; 0 is the base. */
  bestStep: number;
  bestFigures: Figures | undefined;
  baseFigures: Figures | undefined;
  /** The best checkpoint's folder; undefined when it is the base. */
  bestFolder: string | undefined;
}

/**
 * The training loop.
 *
 * 1. Evaluate the base: a run shows what training changed, and a later checkpoint has to beat it.
 * 2. Step; log every `logging_steps` to train.jsonl.
 * 3. Evaluate every `eval_steps` and after the last step, a line of eval.jsonl each; an improvement is written as
 *    `checkpoint-<step>` and replaces the one before.
 */
export async function runTraining(task: TrainingTask): Promise<TrainingOutcome> {
  const { settings, steps, metric, reporter, signal } = task;
  const output = settings.output_dir;
  const trainLog = join(output, "train.jsonl");
  const evalLog = join(output, "eval.jsonl");
  await mkdir(output, { recursive: true });
  for (const log of [trainLog, evalLog]) await rm(log, { force: true });

  const outcome: TrainingOutcome = {
    bestStep: 0,
    bestFigures: undefined,
    baseFigures: undefined,
    bestFolder: undefined,
  };
  const write = async (step: number): Promise<void> => {
    const folder = join(output, `checkpoint-${step}`);
    await task.save(folder);
    if (outcome.bestFolder !== undefined && outcome.bestFolder !== folder) {
      await rm(outcome.bestFolder, { recursive: true, force: true });
    }
    outcome.bestFolder = folder;
    outcome.bestStep = step;
  };
  const evaluate = async (step: number): Promise<void> => {
    if (!task.evaluate) return;
    const figures = await task.evaluate(step);
    await appendJsonl(evalLog, { step, ...figures });
    const value = figures[metric.name] as number;
    reporter.info(`step ${step}: ${metric.name} ${value.toFixed(4)}`);
    if (step === 0) {
      outcome.baseFigures = figures;
      outcome.bestFigures = figures;
      return;
    }
    const held = outcome.bestFigures?.[metric.name];
    if (held !== undefined && !(metric.greaterIsBetter ? value > held : value < held)) return;
    outcome.bestFigures = figures;
    await write(step);
  };

  await evaluate(0);
  const optimizer = new OptimizerLoop(settings, steps);
  const parameters = [...task.weights].map(([name, weight]) => ({ name, data: weight.data, shape: weight.shape }));
  const every = settings.eval_steps > 0 ? settings.eval_steps : steps;
  const progress = reporter.start("training", steps);
  try {
    let log = new StepLog();
    for (let step = 1; step <= steps; step++) {
      throwIfCancelled(signal);
      const started = performance.now();
      const result = await task.runStep();
      if (!Number.isFinite(result.loss)) {
        throw new DataError(
          `Step ${step}: the loss is ${result.loss}. Lower learning_rate${result.describe ? `; ${result.describe()}` : ""}. Nothing of this step was kept.`,
        );
      }
      const { lr, gradNorm } = optimizer.step(parameters, task.gradients);
      await task.onWeightsChanged?.();
      log.add(result, performance.now() - started);
      progress.update(step, `loss ${result.loss.toFixed(4)}`);
      if (step % settings.logging_steps === 0 || step === steps) {
        await appendJsonl(trainLog, { step, ...log.line(), lr, grad_norm: gradNorm, peak_rss_mb: peakRssMb() });
        log = new StepLog();
      }
      if (step % every === 0 || step === steps) await evaluate(step);
    }
  } finally {
    progress.stop();
  }
  if (!task.evaluate) await write(steps);
  return outcome;
}

/** Figures of the steps since the last line of the log. */
class StepLog {
  private loss = 0;
  private steps = 0;
  private examples = 0;
  private tokens = 0;
  private milliseconds = 0;

  add(result: StepResult, milliseconds: number): void {
    this.loss += result.loss;
    this.steps++;
    this.examples += result.examples;
    this.tokens += result.tokens;
    this.milliseconds += milliseconds;
  }

  line(): { loss: number; examples_per_s: number; tokens_per_s: number } {
    const seconds = this.milliseconds / 1000;
    return {
      loss: this.loss / this.steps,
      examples_per_s: Number((this.examples / seconds).toFixed(2)),
      tokens_per_s: Math.round(this.tokens / seconds),
    };
  }
}
