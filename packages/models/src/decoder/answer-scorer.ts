import { throwIfCancelled } from "@rag-ft/core";
import { CPU, createSession, requireDevice, type SessionSettings } from "@rag-ft/onnx";
import { planBatches } from "../encoder/token-batch.js";
import { graphFormFor, Parameters } from "../graph/parameters.js";
import { weightInputs } from "../graph/weight-inputs.js";
import { type AnswerExample, createAnswerBatch } from "./answer-batch.js";
import { answerLogProbabilities } from "./answer-loss.js";
import type { LoadedDecoder } from "./load-decoder.js";

/** Says how likely a decoder finds answers. */
export interface AnswerScorer {
  /** For each example, the mean log-probability of its answer's tokens, given the prompt and the answer's tokens before. */
  score(examples: readonly AnswerExample[], options?: { signal?: AbortSignal }): Promise<number[]>;
  close(): Promise<void>;
}

/** Tokens of one run, as in training; a single longer example stands alone. */
const TOKENS_PER_RUN = 2048;

/** Compiles the forward graph alone. */
export async function createAnswerScorer(
  { graph, weights, tokenizer }: LoadedDecoder,
  settings: SessionSettings = {},
): Promise<AnswerScorer> {
  await requireDevice(settings.device ?? CPU);
  const outputs = { values: answerLogProbabilities(graph, new Parameters(graphFormFor(settings.device))) };
  const session = await createSession({ outputs }, settings);
  const weightTensors = weightInputs(weights);
  return {
    async score(examples, { signal } = {}) {
      const scores = new Array<number>(examples.length);
      const lengths = examples.map(({ prompt, answer }) => prompt.length + answer.length);
      for (const rows of planBatches(lengths, TOKENS_PER_RUN)) {
        if (signal) throwIfCancelled(signal);
        const chosen = rows.map((row) => examples[row] as AnswerExample);
        const { ids, label_rows, labels } = createAnswerBatch(chosen, tokenizer.padId, 1).inputs;
        const result = await session.run({ ...weightTensors, ids, label_rows, labels });
        const values = result.values?.data as Float32Array;
        let start = 0;
        for (const [i, { answer }] of chosen.entries()) {
          const own = values.subarray(start, start + answer.length);
          scores[rows[i] as number] = own.reduce((sum, value) => sum + value, 0) / answer.length;
          start += answer.length;
        }
      }
      return scores;
    },
    close: () => session.close(),
  };
}
