import { join } from "node:path";
import { InternalError } from "@rag-ft/core";
import { type LoraAdapters, restoreAdapter, restoreWeights, type TrainableEncoder } from "@rag-ft/models";
import type { Evaluation, TrainingOutcome } from "@rag-ft/train";
import { type Candidate, type Choice, choose } from "./choice.js";
import { copyValues, interpolateWeights, type NamedValues } from "./interpolate-weights.js";
import type { TrainRetrieverSettings } from "./settings.js";

export interface TrainedEncoder {
  settings: Pick<TrainRetrieverSettings, "interpolate" | "keep_base_unless" | "metric_for_best_model" | "output_dir">;
  /** In memory as the last step left it. */
  model: TrainableEncoder;
  adapters: LoraAdapters | undefined;
  outcome: TrainingOutcome;
  /** Steps of the whole training. */
  steps: number;
  /** Evaluates the present weights on the eval questions. */
  evaluate(): Promise<Evaluation>;
}

export interface Result {
  /** The model folder of what is kept. */
  folder: string;
  /** False: the folder is still to be written, from the weights in memory. */
  isOnDisk: boolean;
  /** Undefined without evaluations: the last step is kept. */
  choice: Choice | undefined;
}

/** Puts the base's weights back into memory. */
async function restoreBase({ model: { encoder }, adapters }: TrainedEncoder): Promise<void> {
  await restoreWeights(encoder.weights, encoder.folder, encoder.architecture.weightPrefixes);
  adapters?.reset();
}

/** Weights between base and tuned, of which the present ones become any share. With adapters B alone is scaled: W + alpha s B A. */
async function line(run: TrainedEncoder): Promise<(alpha: number) => Promise<void>> {
  const { model, adapters, outcome } = run;
  const folder = outcome.bestFolder;
  if (folder !== undefined && adapters) await restoreAdapter(folder, adapters);
  else if (folder !== undefined) await restoreWeights(model.trained, folder, prefixesOf(model));
  const tuned = copyValues(model.trained);
  let base: NamedValues;
  if (adapters) {
    base = new Map(
      [...tuned].map(([name, weight]) => [name, adapters.isB(name) ? { data: weight.data.map(() => 0) } : weight]),
    );
  } else {
    await restoreBase(run);
    base = copyValues(model.trained);
  }
  return async (alpha) => {
    interpolateWeights(model.trained, base, tuned, alpha);
    await adapters?.merge();
  };
}

function prefixesOf({ encoder }: TrainableEncoder): readonly string[] | undefined {
  return encoder.architecture.weightPrefixes;
}

async function interpolated(
  run: TrainedEncoder,
  step: number,
  moveTo: (alpha: number) => Promise<void>,
): Promise<Candidate[]> {
  const found: Candidate[] = [];
  for (const alpha of run.settings.interpolate) {
    await moveTo(alpha);
    const { figures, values = [] } = await run.evaluate();
    found.push({ step, alpha, figures, values });
  }
  return found;
}

/**
 * Chooses what a training leaves: the base, the best checkpoint, or weights between the two (those of the last step when no checkpoint
 * beat the base). The weights in memory are then the chosen ones. Depends on what the newest checkpoint holds alone, so that a run that
 * is killed here chooses the same again.
 */
export async function chooseResult(run: TrainedEncoder): Promise<Result> {
  const { model, settings, outcome, steps } = run;
  const { bestStep, bestFolder, bestFigures, bestValues = [], baseFigures, baseValues = [] } = outcome;
  const at = (name: string): string => join(settings.output_dir, name);
  if (!baseFigures || !bestFigures) {
    if (bestFolder === undefined) throw new InternalError("A run without evaluations keeps its last step.");
    await restoreWeights(model.encoder.weights, bestFolder, prefixesOf(model));
    return { folder: bestFolder, isOnDisk: true, choice: undefined };
  }
  const moveTo = settings.interpolate.length > 0 ? await line(run) : undefined;
  const candidates = [
    ...(bestStep > 0 ? [{ step: bestStep, figures: bestFigures, values: bestValues }] : []),
    ...(moveTo ? await interpolated(run, bestStep || steps, moveTo) : []),
  ];
  const choice = choose({ step: 0, figures: baseFigures, values: baseValues }, candidates, {
    metric: settings.metric_for_best_model,
    keepBaseUnless: settings.keep_base_unless,
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
  await restoreWeights(model.encoder.weights, bestFolder, prefixesOf(model));
  return { folder: bestFolder, isOnDisk: true, choice };
}
