import { createSession, floatTensor, input, type SessionSettings } from "@rag-ft/onnx";
import type { GradientSums } from "@rag-ft/train";
import { gradientGraph, parameterGradients } from "../graph/gradient-session.js";
import { Parameters } from "../graph/parameters.js";
import { weightInputs } from "../graph/weight-inputs.js";
import type { LoraAdapters } from "../lora/lora-adapters.js";
import type { WeightTensor } from "../weights/weight-tensor.js";
import { type LoadedScorer, pairLogits } from "./load-scorer.js";
import type { PairBatch } from "./pair-batch.js";

/** A reranker whose weights can be changed between runs, with gradients. */
export interface TrainableScorer {
  readonly scorer: LoadedScorer;
  /** What is trained: all weights, or adapters. */
  readonly trained: ReadonlyMap<string, WeightTensor>;
  /** Sums of gradients of what is trained since they were last set to zero, by name. */
  readonly gradients: GradientSums;
  /** Logits of a batch, row-major [rows, labels]. */
  forward(batch: PairBatch): Promise<Float32Array>;
  /** Adds to `gradients` those of a scalar, given its gradient with respect to the batch's logits [rows, labels]. */
  backward(batch: PairBatch, logitGradients: Float32Array): Promise<void>;
  close(): Promise<void>;
}

/** Compiles forward and backward graph; weights are inputs, so one compilation serves all steps and lengths. With adapters, these alone are trained. */
export async function createTrainableScorer(
  scorer: LoadedScorer,
  settings: SessionSettings = {},
  adapters?: LoraAdapters,
): Promise<TrainableScorer> {
  const { weights, labels } = scorer;
  const trained = adapters?.trained ?? weights;
  const parameters = new Parameters();
  const logits = pairLogits(scorer, parameters);
  const seeds = [[logits, input("logit_gradients", "float32", ["batch", labels])]] as const;
  const named = adapters?.adapterGradients(seeds, parameters) ?? parameterGradients(seeds, parameters);
  const gradients = gradientGraph(named, trained);
  const forward = await createSession({ outputs: { logits } }, settings);
  const backward = await createSession({ outputs: gradients.outputs }, settings);
  const weightTensors = { ...weightInputs(weights), ...(adapters ? weightInputs(trained) : {}) };
  return {
    scorer,
    trained,
    gradients: gradients.sums,
    forward: async (batch) => (await forward.run({ ...weightTensors, ...batch.inputs })).logits?.data as Float32Array,
    async backward(batch, logitGradients) {
      const logit_gradients = floatTensor(logitGradients, [batch.rows, labels]);
      await gradients.run(backward, { ...weightTensors, ...batch.inputs, logit_gradients }, batch.dims);
    },
    async close() {
      await forward.close();
      await backward.close();
    },
  };
}
