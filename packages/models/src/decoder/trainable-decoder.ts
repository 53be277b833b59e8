import { constant, createSession, type SessionSettings } from "@rag-ft/onnx";
import { createGradientSums, type GradientSums } from "@rag-ft/train";
import { Parameters } from "../graph/parameters.js";
import { gradientOutputs, gradientTensors, weightInputs } from "../graph/weight-inputs.js";
import type { AnswerBatch } from "./answer-batch.js";
import { answerLoss } from "./answer-loss.js";
import type { LoadedDecoder } from "./load-decoder.js";

/** A decoder whose weights can be changed between runs, with gradients. */
export interface TrainableDecoder {
  readonly decoder: LoadedDecoder;
  /** Sums of gradients since they were last set to zero, by weight name. */
  readonly gradients: GradientSums;
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
  const { graph, weights } = decoder;
  const parameters = new Parameters();
  const loss = answerLoss(graph, parameters);
  const outputs = gradientOutputs([[loss, constant(1)]], parameters);
  const lossSession = await createSession({ outputs: { loss } }, settings);
  const backwardSession = await createSession({ outputs: { loss, ...outputs } }, settings);
  const weightTensors = weightInputs(weights);
  const gradients = createGradientSums(weights);
  const sums = gradientTensors(gradients, weights);
  return {
    decoder,
    gradients,
    loss: async (batch) => (await lossSession.run({ ...weightTensors, ...batch.inputs })).loss?.data[0] as number,
    async backward(batch) {
      const run = await backwardSession.run({ ...weightTensors, ...sums.inputs, ...batch.inputs }, sums.outputs);
      return run.loss?.data[0] as number;
    },
    async close() {
      await lossSession.close();
      await backwardSession.close();
    },
  };
}
