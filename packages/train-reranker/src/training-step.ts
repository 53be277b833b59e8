import { type Document, retrievalQuery, throwIfCancelled } from "@rag-ft/core";
import {
  createPairBatch,
  encodePairFor,
  type PairBatch,
  planBatches,
  TOKENS_PER_RUN,
  type TrainableScorer,
  tokensPerRun,
} from "@rag-ft/models";
import { type RetrievalExample, shownQuestion } from "@rag-ft/retrieval";
import {
  accumulatedStep,
  cachedBackward,
  type RerankingLossKind,
  randomFor,
  rerankingLoss,
  ShuffledBatches,
  type StepPart,
  type StepResult,
} from "@rag-ft/train";
import type { TrainRerankerSettings } from "./settings.js";

/** A question with its gold passage and then its negatives. */
export interface RankedGroup {
  question: string;
  passages: readonly Document[];
}

/** The groups of a batch: the first gold passage of each question, and so many of its negatives, drawn by the batch's number. */
export function composeGroups(
  batch: readonly RetrievalExample[],
  { num_negatives, seed }: Pick<TrainRerankerSettings, "num_negatives" | "seed">,
  number: number,
): RankedGroup[] {
  const random = randomFor(seed, "hardNegatives", number);
  return batch.map((example) => ({
    question: retrievalQuery(example),
    passages: [example.gold_docs[0] as Document, ...random.sample(example.hard_neg_docs, num_negatives)],
  }));
}

/** Loss of some groups, and its gradients added to the model's: all pairs are cut together in chunks of near-equal length. */
export async function rerankingStep(
  model: Pick<TrainableScorer, "scorer" | "forward" | "backward" | "device">,
  kind: RerankingLossKind,
  groups: readonly RankedGroup[],
  { scale, signal }: { scale: number; signal: AbortSignal },
): Promise<{ loss: number; tokens: number }> {
  const { tokenizer } = model.scorer;
  const pairs = groups.flatMap(({ question, passages }) =>
    passages.map(({ fmt_content }) => encodePairFor(model.scorer, question, fmt_content)),
  );
  const chunks = planBatches(
    pairs.map(({ ids }) => ids.length),
    tokensPerRun(TOKENS_PER_RUN, model.device),
  ).map((rows) => ({
    rows,
    chunk: createPairBatch(
      rows.map((row) => pairs[row] as (typeof pairs)[number]),
      tokenizer.padId,
    ),
  }));
  const stoppable = {
    // A step of many pairs takes minutes.
    async forward(chunk: PairBatch): Promise<Float32Array> {
      throwIfCancelled(signal);
      return model.forward(chunk);
    },
    async backward(chunk: PairBatch, gradients: Float32Array): Promise<void> {
      throwIfCancelled(signal);
      await model.backward(chunk, gradients);
    },
  };
  const sizes = groups.map(({ passages }) => passages.length);
  const loss = await cachedBackward(stoppable, chunks, { total: pairs.length, dimensions: 1 }, async (logits) =>
    rerankingLoss(kind, { logits, sizes, scale }),
  );
  return { loss, tokens: pairs.reduce((sum, { ids }) => sum + ids.length, 0) };
}

/** One step's work: `gradient_accumulation_steps` batches, their losses averaged. */
export function createStep(
  settings: TrainRerankerSettings,
  model: TrainableScorer,
  examples: readonly RetrievalExample[],
  signal: AbortSignal,
): (step: number) => Promise<StepResult> {
  const { per_device_train_batch_size: size, gradient_accumulation_steps: parts, seed, loss: kind } = settings;
  const batches = new ShuffledBatches(examples, size, seed);
  const part = async (number: number): Promise<StepPart<RetrievalExample>> => {
    const batch = batches.at(number);
    const groups = composeGroups(batch, settings, number);
    return { batch, ...(await rerankingStep(model, kind, groups, { scale: 1 / parts, signal })) };
  };
  return (step) => accumulatedStep(step, parts, part, shownQuestion);
}
