import { constant, createSession, type SessionSettings } from "@rag-ft/onnx";
import { accumulate, backward } from "@rag-ft/train";
import { Parameters } from "../graph/parameters.js";
import { gradientOutput, gradientsIn, weightInputs } from "../graph/weight-inputs.js";
import type { AnswerBatch } from "./answer-batch.js";
import { answerLoss } from "./answer-loss.js";
import type { LoadedDecoder } from "./load-decoder.js";

/** A decoder whose weights can be changed between runs, with gradients. */
export interface TrainableDecoder {
  readonly decoder: LoadedDecoder;
  /** Sums of gradients since they were last cleared, by weight name. */
  readonly gradients: Map<string, Float32Array>;
  /** The batch's loss: the weighted sum over its labels. */
  loss(batch: AnswerBatch): Promise<number>;
  /** The same, and adds its gradients to `gradients`. */
  backward(batch: AnswerBatch): Promise<number>;
  close(): Promise<void>;
}

/** Compiles forward and backward graph; weights are inputs, so one compilation serves all steps and lengths. */
export async function createTrainableDecoder(
  decoder: LoadedDecoder,
  settings: SessionSettings = {},
): Promise<TrainableDecoder> {
  const parameters = new Parameters();
  const loss = answerLoss(decoder.graph, parameters);
  const entries = parameters.entries();
  const gradientValues = backward(
    [[loss, constant(1)]],
    entries.map(([, value]) => value),
  );
  const outputs = Object.fromEntries(
    entries.map(([name], i) => [gradientOutput(name), gradientValues[i] as typeof loss]),
  );
  const lossSession = await createSession({ outputs: { loss } }, settings);
  const backwardSession = await createSession({ outputs: { loss, ...outputs } }, settings);
  const weightTensors = weightInputs(decoder.weights);
  const gradients = new Map<string, Float32Array>();
  return {
    decoder,
    gradients,
    loss: async (batch) => (await lossSession.run({ ...weightTensors, ...batch.inputs })).loss?.data[0] as number,
    async backward(batch) {
      const run = await backwardSession.run({ ...weightTensors, ...batch.inputs });
      for (const [name, gradient] of gradientsIn(run)) accumulate(gradients, name, gradient);
      return run.loss?.data[0] as number;
    },
    async close() {
      await lossSession.close();
      await backwardSession.close();
    },
  };
}
