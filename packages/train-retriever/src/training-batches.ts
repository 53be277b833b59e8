import type { StageContext } from "@rag-ft/core";
import type { TrainableEncoder } from "@rag-ft/models";
import type { RetrievalExample } from "@rag-ft/retrieval";
import { randomFor, ShuffledBatches } from "@rag-ft/train";
import { encoderOf } from "./evaluation.js";
import { type ContrastiveExamples, composeBatch } from "./examples.js";
import { likelyAnswersOf } from "./guided-masks.js";
import type { Masks } from "./masks.js";
import { countMasked, type MaskCounts, nearDuplicatesOf } from "./near-duplicate-masks.js";
import { requireNegatives } from "./require-negatives.js";
import type { TrainRetrieverSettings } from "./settings.js";

export interface ComposedBatch {
  batch: readonly RetrievalExample[];
  examples: ContrastiveExamples;
}

export interface TrainingBatches {
  at(number: number): ComposedBatch;
  record: Record<string, MaskCounts>;
}

/** Masks by what is asked for: near-duplicates of gold passages, and what the model as it is now takes for an answer. */
async function createMasks(
  settings: TrainRetrieverSettings,
  train: readonly RetrievalExample[],
  model: TrainableEncoder,
  signal: AbortSignal,
): Promise<Masks> {
  const margin = settings.guided_masking;
  const guide = { withHardNegatives: settings.hard_neg_ratio > 0, signal };
  return {
    isNear: settings.mask_near_duplicates ? await nearDuplicatesOf(train, signal) : undefined,
    isLikely:
      margin === undefined ? undefined : await likelyAnswersOf(train, encoderOf(model, "base"), { ...guide, margin }),
  };
}

/** The batches of a training by their number, masked by `model` as it is now, and what is masked of those of all steps. */
export async function createBatches(
  settings: TrainRetrieverSettings,
  train: readonly RetrievalExample[],
  model: TrainableEncoder,
  steps: number,
  { reporter, signal }: StageContext,
): Promise<TrainingBatches> {
  const masks = await createMasks(settings, train, model, signal);
  const { seed, per_device_train_batch_size: size, hard_neg_ratio: hardNegatives } = settings;
  const source = new ShuffledBatches(train, size, seed);
  const at = (number: number): ComposedBatch => {
    const batch = source.at(number);
    return { batch, examples: composeBatch(batch, hardNegatives, randomFor(seed, "hardNegatives", number), masks) };
  };
  const count = steps * settings.gradient_accumulation_steps;
  const checked = { at: (number: number) => at(number).examples, count, perEpoch: Math.ceil(train.length / size) };
  requireNegatives(checked, settings, train, reporter);
  const record: Record<string, MaskCounts> = {};
  if (!masks.isNear && !masks.isLikely) return { at, record };
  const numbers = Array.from({ length: count }, (_, number) => number);
  const { near_duplicates, guided } = countMasked(numbers.map((number) => at(number).examples));
  const report = (name: string, title: string, counts: MaskCounts): void => {
    record[name] = counts;
    const percent = (100 * counts.share).toFixed(2);
    reporter.info(
      `${title}: ${counts.masked_pairs} of ${counts.pairs} pairs of question and passage (${percent} %) are no negatives`,
    );
  };
  if (masks.isNear) report("near_duplicates", "near-duplicates", near_duplicates);
  if (masks.isLikely) report("guided", "likely answers", guided);
  return { at, record };
}
