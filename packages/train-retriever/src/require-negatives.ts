import { DataError, documentKey, type Reporter } from "@rag-ft/core";
import type { RetrievalExample } from "@rag-ft/retrieval";
import type { ContrastiveExamples } from "./examples.js";
import type { TrainRetrieverSettings } from "./settings.js";

type BatchSettings = Pick<TrainRetrieverSettings, "train_file" | "per_device_train_batch_size" | "hard_neg_ratio">;

export interface CheckedBatches {
  at(number: number): ContrastiveExamples;
  /** Of the whole training. */
  count: number;
  /** Of one pass over the training questions. */
  perEpoch: number;
}

/** Whether any question of the batch is compared with a passage other than its gold one. */
function hasNegatives({ queries, passages, excluded }: ContrastiveExamples): boolean {
  return excluded.length < queries.length * (passages.length - 1);
}

function causeOf(settings: BatchSettings, train: readonly RetrievalExample[]): string {
  const { per_device_train_batch_size: size, hard_neg_ratio: ratio } = settings;
  const gold = new Set(train.flatMap(({ gold_docs }) => gold_docs.map(documentKey)));
  const more = "or hard negatives: rows with hard_neg_docs and a hard_neg_ratio of 1";
  if (train.length === 1) return `there is one question. Give more questions, ${more}.`;
  if (gold.size === 1)
    return `all ${train.length} questions have the same gold passage. Give questions of other passages, ${more}.`;
  if (size === 1) {
    return `per_device_train_batch_size is 1, and hard_neg_ratio ${ratio} adds no hard negative to one question. Raise the batch size (gradient_accumulation_steps does not replace it), ${more}.`;
  }
  return "all passages of a batch are gold passages of the same questions, or masked. Give questions of more passages, a larger batch, or mask less.";
}

/**
 * A batch teaches by its negatives alone: without any its loss is 0, whatever the weights.
 *
 * Some of the first pass without any are counted in a warning, and so is it one where masks that were asked for leave none.
 *
 * @throws DataError naming the cause when no batch has a negative.
 */
export function requireNegatives(
  { at, count, perEpoch }: CheckedBatches,
  settings: BatchSettings,
  train: readonly RetrievalExample[],
  { warn }: Pick<Reporter, "warn">,
): void {
  if (count === 0) return;
  const first = Math.min(count, perEpoch);
  let without = 0;
  for (let number = 0; number < first; number++) if (!hasNegatives(at(number))) without++;
  if (without === 0) return;
  let number = first;
  while (without === first && number < count && !hasNegatives(at(number))) number++;
  if (without === first && number === count) {
    const message = `${settings.train_file}: no batch has a negative, so that the loss is 0 and nothing is learnt: ${causeOf(settings, train)}`;
    if (at(0).nearDuplicates === 0) throw new DataError(message);
    warn(message);
    return;
  }
  warn(
    `${settings.train_file}: ${without} of the first ${first} batches have no negative and teach nothing (their loss is 0): too few questions, or all of one passage`,
  );
}
