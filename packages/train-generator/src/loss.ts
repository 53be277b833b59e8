import { throwIfCancelled } from "@rag-ft/core";
import {
  type AnswerBatch,
  type AnswerExample,
  createAnswerBatch,
  planBatches,
  type TrainableDecoder,
  tokensPerRun,
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
  device?: string,
): { batches: AnswerBatch[]; tokens: number } {
  const labels = examples.reduce((sum, { answer }) => sum + answer.length, 0);
  const lengths = examples.map(({ prompt, answer }) => prompt.length + answer.length);
  const batches = planBatches(lengths, tokensPerRun(TOKENS_PER_RUN, device)).map((rows) =>
    createAnswerBatch(
      rows.map((row) => examples[row] as AnswerExample),
      padId,
      1 / labels,
    ),
  );
  return { batches, tokens: lengths.reduce((a, b) => a + b, 0) };
}

export interface Losses {
  /** Mean loss of an answer token over all examples. */
  loss: number;
  /** Each example's share: they add up to the loss times their number, so that a longer answer weighs more. */
  values: number[];
}

/** Losses of examples without gradients, one at a time: what each adds tells a change from chance. */
export async function answerLosses(
  model: TrainableDecoder,
  examples: readonly AnswerExample[],
  { signal, onProgress }: { signal: AbortSignal; onProgress?: (done: number) => void },
): Promise<Losses> {
  const labels = examples.reduce((sum, { answer }) => sum + answer.length, 0);
  const values: number[] = [];
  for (const example of examples) {
    throwIfCancelled(signal);
    const batch = createAnswerBatch([example], model.decoder.tokenizer.padId, examples.length / labels);
    values.push(await model.loss(batch));
    onProgress?.(values.length);
  }
  return { loss: values.reduce((sum, value) => sum + value, 0) / examples.length, values };
}
