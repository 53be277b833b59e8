import type { Document, Reporter, StageContext } from "@rag-ft/core";
import type { RetrievalExample, TrainingQuestions } from "@rag-ft/retrieval";
import { randomFor, ShuffledBatches } from "@rag-ft/train";
import { type Distillation, type DistilledExamples, drawLists } from "./distillation.js";
import { type ContrastiveExamples, composeBatch } from "./examples.js";
import type { Masks } from "./masks.js";
import { countMasked, type MaskCounts, nearPassagesOf } from "./near-duplicate-masks.js";
import { countPositives, type PositiveCounts, severalPositives } from "./positives.js";
import { requireNegatives } from "./require-negatives.js";
import type { TrainRetrieverSettings } from "./settings.js";

export interface ComposedBatch {
  batch: readonly RetrievalExample[];
  examples: ContrastiveExamples & { distilled?: DistilledExamples };
}

export interface TrainingBatches {
  at(number: number): ComposedBatch;
  record: BatchRecord;
}

/** For the run record. */
export interface BatchRecord extends Record<string, MaskCounts | PositiveCounts | undefined> {
  near_duplicates?: MaskCounts;
  positives?: PositiveCounts;
}

type BatchData = Pick<TrainingQuestions, "train" | "documents"> & {
  distillation: Distillation | undefined;
  /** Questions of the batch of each number; default: of shuffled epochs. */
  source?: { at(number: number): readonly RetrievalExample[] };
};

/** What is compared in a step beside question and gold passage: gold passages and hard negatives of all, and what is drawn from the database. */
function comparable({ extra_positives }: TrainRetrieverSettings, { train, documents }: BatchData): readonly Document[] {
  const own = train.flatMap(({ gold_docs, hard_neg_docs }) => [...gold_docs, ...hard_neg_docs]);
  return extra_positives > 0 ? [...own, ...documents] : own;
}

/** Masks and positives by what is asked for. */
async function createMasks(settings: TrainRetrieverSettings, data: BatchData, signal: AbortSignal): Promise<Masks> {
  const { mask_near_duplicates, positives, extra_positives } = settings;
  const wanted = mask_near_duplicates || positives === "all";
  const near = wanted ? await nearPassagesOf(comparable(settings, data), signal) : undefined;
  return {
    isNear: mask_near_duplicates ? near?.isNear : undefined,
    positives: near && positives === "all" ? severalPositives(near, extra_positives) : undefined,
  };
}

/** Says what masks and positives do to all batches; for the run record. */
function describeBatches(
  batches: () => Iterable<ContrastiveExamples>,
  masks: Masks,
  { info, warn }: Reporter,
): BatchRecord {
  const record: BatchRecord = {};
  if (masks.isNear) {
    const counts = countMasked(batches());
    const percent = (100 * counts.share).toFixed(2);
    record.near_duplicates = counts;
    info(
      `near-duplicates: ${counts.masked_pairs} of ${counts.pairs} pairs of question and passage (${percent} %) are no negatives`,
    );
  }
  if (masks.positives) {
    const counts = countPositives(batches());
    const { questions, with_several, further } = counts;
    record.positives = counts;
    info(
      `positives: ${with_several} of ${questions} questions of all steps have several, ${further} more than one each`,
    );
    if (further === 0)
      warn(
        "positives all: no step holds a second positive of a question, so that the loss is that of positives one. Give --extra_positives 1, or leave --positives out.",
      );
  }
  return record;
}

/** The batches of a training by their number, and what is masked of those of all steps. */
export async function createBatches(
  settings: TrainRetrieverSettings,
  data: BatchData,
  steps: number,
  { reporter, signal }: StageContext,
): Promise<TrainingBatches> {
  const { train, distillation } = data;
  const masks = await createMasks(settings, data, signal);
  const { seed, per_device_train_batch_size: size, hard_neg_ratio: hardNegatives } = settings;
  const source = data.source ?? new ShuffledBatches(train, size, seed);
  const at = (number: number): ComposedBatch => {
    const batch = source.at(number);
    const examples = composeBatch(batch, hardNegatives, randomFor(seed, "hardNegatives", number), masks);
    if (distillation === undefined) return { batch, examples };
    const scored = batch.map(distillation.scoresOf);
    const random = randomFor(seed, "distilled", number);
    return {
      batch,
      examples: { ...examples, distilled: drawLists(examples, scored, settings.distil_passages, random) },
    };
  };
  const count = steps * settings.gradient_accumulation_steps;
  const checked = { at: (number: number) => at(number).examples, count, perEpoch: Math.ceil(train.length / size) };
  // A teacher's lists have negatives of their own.
  if (distillation === undefined) requireNegatives(checked, settings, train, reporter);
  const all = function* (): Generator<ContrastiveExamples> {
    for (let number = 0; number < count; number++) yield at(number).examples;
  };
  return { at, record: describeBatches(all, masks, reporter) };
}
