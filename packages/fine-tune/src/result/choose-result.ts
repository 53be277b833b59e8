import { join } from "node:path";
import { InternalError } from "@rag-ft/core";
import {
  type LoraAdapters,
  restoreAdapter,
  restoreWeights,
  type WeightReader,
  type WeightTensor,
} from "@rag-ft/models";
import type { TensorMemory } from "@rag-ft/onnx";
import type { Evaluation, TrainingOutcome } from "@rag-ft/train";
import { type Candidate, type Choice, choose, type Place } from "./choice.js";
import { copyValues, interpolateWeights, type NamedValues } from "./interpolate-weights.js";
import type { ResultSettings } from "./result-settings.js";

/** The model that training starts from. */
export interface BaseModel {
  /** All weights, in memory. */
  weights: ReadonlyMap<string, WeightTensor>;
  folder: string;
  /** Reads such weights from this folder, or from one of a checkpoint. */
  readWeights: WeightReader;
}

/** A model after its training. */
export interface TrainedModel {
  settings: ResultSettings & { output_dir: string };
  metric: { name: string; greaterIsBetter: boolean };
  /** Its weights are as the last step left them. */
  base: BaseModel;
  /** What was trained: all weights, or adapters. */
  trained: ReadonlyMap<string, WeightTensor>;
  /** Where all of them stand between runs; by default the arrays themselves. */
  memory?: TensorMemory | undefined;
  adapters: LoraAdapters | undefined;
  outcome: TrainingOutcome;
  /** Steps of the whole training. */
  steps: number;
  /** Of the eval questions. */
  sources?: readonly string[] | undefined;
  /** Evaluates the present weights, which are those of `place`, on the eval questions. */
  evaluate(place: Place): Promise<Evaluation>;
}

export interface Result {
  /** The model folder of what is kept. */
  folder: string;
  /** False: the folder is still to be written, from the weights in memory. */
  isOnDisk: boolean;
  /** Undefined without evaluations: the last step is kept. */
  choice: Choice | undefined;
}

/** Puts a checkpoint's weights back into memory: the adapters' alone where the base stays as it is. */
async function restore({ base, adapters, memory }: TrainedModel, folder: string): Promise<void> {
  if (adapters?.isInGraph) await restoreAdapter(folder, adapters);
  else await restoreWeights(base.weights, folder, base.readWeights, memory);
}

async function restoreBase({ base, adapters, memory }: TrainedModel): Promise<void> {
  if (!adapters?.isInGraph) await restoreWeights(base.weights, base.folder, base.readWeights, memory);
  adapters?.reset();
}

/** Weights between base and tuned, of which the present ones become any share. Of adapters B alone is scaled: W + alpha s B A. */
async function line(run: TrainedModel): Promise<(alpha: number) => Promise<void>> {
  const { trained, adapters, outcome } = run;
  const folder = outcome.bestFolder;
  if (folder !== undefined && adapters) await restoreAdapter(folder, adapters);
  else if (folder !== undefined) await restoreWeights(trained, folder, run.base.readWeights, run.memory);
  const tuned = copyValues(trained);
  let base: NamedValues;
  if (adapters) {
    base = new Map([...tuned].map(([name, { data }]) => [name, { data: adapters.untrained(name, data) }]));
  } else {
    await restoreBase(run);
    base = copyValues(trained);
  }
  return async (alpha) => {
    interpolateWeights(trained, base, tuned, alpha);
    run.memory?.wrote([...trained.values()].map(({ data }) => data));
    await adapters?.merge();
  };
}

async function interpolated(
  run: TrainedModel,
  step: number,
  moveTo: (alpha: number) => Promise<void>,
): Promise<Candidate[]> {
  const found: Candidate[] = [];
  for (const alpha of run.settings.interpolate) {
    await moveTo(alpha);
    const { figures, values = [] } = await run.evaluate({ step, alpha });
    found.push({ step, alpha, figures, values });
  }
  return found;
}

/**
 * Chooses what a training leaves: the base, the best checkpoint, or weights between the two (those of the last step when no checkpoint
 * beat the base). The weights in memory are then the chosen ones. Depends on what the newest checkpoint holds alone, so that a run that
 * is killed here chooses the same again.
 */
export async function chooseResult(run: TrainedModel): Promise<Result> {
  const { settings, metric, outcome, steps } = run;
  const { bestStep, bestFolder, bestFigures, bestValues = [], baseFigures, baseValues = [] } = outcome;
  const at = (name: string): string => join(settings.output_dir, name);
  if (!baseFigures || !bestFigures) {
    if (bestFolder === undefined) throw new InternalError("A run without evaluations keeps its last step.");
    await restore(run, bestFolder);
    return { folder: bestFolder, isOnDisk: true, choice: undefined };
  }
  const moveTo = settings.interpolate.length > 0 ? await line(run) : undefined;
  const candidates = [
    ...(bestStep > 0 ? [{ step: bestStep, figures: bestFigures, values: bestValues }] : []),
    ...(moveTo ? await interpolated(run, bestStep || steps, moveTo) : []),
  ];
  const choice = choose({ step: 0, figures: baseFigures, values: baseValues }, candidates, {
    metric: metric.name,
    greaterIsBetter: metric.greaterIsBetter,
    keepBaseUnless: settings.keep_base_unless,
    sources: run.sources,
  });
  const { step, alpha } = choice.kept;
  if (alpha !== undefined) {
    await moveTo?.(alpha);
    return { folder: at(`checkpoint-${step}-alpha-${alpha}`), isOnDisk: false, choice };
  }
  if (step === 0 || bestFolder === undefined) {
    await restoreBase(run);
    return { folder: at("checkpoint-0"), isOnDisk: false, choice };
  }
  await restore(run, bestFolder);
  return { folder: bestFolder, isOnDisk: true, choice };
}
