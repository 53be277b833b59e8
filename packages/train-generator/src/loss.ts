import { throwIfCancelled } from "@rag-ft/core";
import {
  type AnswerBatch,
  type AnswerExample,
  createAnswerBatch,
  planBatches,
  type TrainableDecoder,
} from "@rag-ft/models";

/**
 * Tokens of one run of the decoder's graph. Attention and activations of a longer run leave the caches and take memory; a single longer
 * example stands alone.
 */
const TOKENS_PER_RUN = 2048;

/** Cuts examples in batches of near-equal length; each answer token counts the same over all of them. */
export function answerBatches(
  examples: readonly AnswerExample[],
  padId: number,
): { batches: AnswerBatch[]; tokens: number } {
  const labels = examples.reduce((sum, { answer }) => sum + answer.length, 0);
  const lengths = examples.map(({ prompt, answer }) => prompt.length + answer.length);
  const batches = planBatches(lengths, TOKENS_PER_RUN).map((rows) =>
    createAnswerBatch(
      rows.map((row) => examples[row] as AnswerExample),
      padId,
      1 / labels,
    ),
  );
  return { batches, tokens: lengths.reduce((a, b) => a + b, 0) };
}

/** Mean loss of an answer token over examples, without gradients. */
export async function meanLoss(
  model: TrainableDecoder,
  examples: readonly AnswerExample[],
  { signal, onProgress }: { signal: AbortSignal; onProgress?: (done: number, total: number) => void },
): Promise<number> {
  const { batches } = answerBatches(examples, model.decoder.tokenizer.padId);
  let sum = 0;
  for (const [i, batch] of batches.entries()) {
    throwIfCancelled(signal);
    sum += await model.loss(batch);
    onProgress?.(i + 1, batches.length);
  }
  return sum;
}
