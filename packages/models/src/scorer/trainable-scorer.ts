import { createSession, floatTensor, input, memoryFor, type SessionSettings, type TensorMemory } from "@rag-ft/onnx";
import type { GradientSums } from "@rag-ft/train";
import type { FrozenLayers } from "../frozen/frozen-layers.js";
import { boundaryOf, type Freezable, openFrozen } from "../frozen/open-frozen.js";
import { gradientGraph, parameterGradients } from "../graph/gradient-session.js";
import { graphFormFor, Parameters } from "../graph/parameters.js";
import { weightInputs } from "../graph/weight-inputs.js";
import type { LoraAdapters } from "../lora/lora-adapters.js";
import type { WeightTensor } from "../weights/weight-tensor.js";
import { type LoadedScorer, pairLogits } from "./load-scorer.js";
import type { PairBatch } from "./pair-batch.js";

/** A reranker whose weights can be changed between runs, with gradients. */
export interface TrainableScorer {
  readonly scorer: LoadedScorer;
  /** What is trained: all weights that are not frozen, or adapters. */
  readonly trained: ReadonlyMap<string, WeightTensor>;
  /** Sums of gradients of what is trained since they were last set to zero, by name. */
  readonly gradients: GradientSums;
  /** Where weights and sums stand between runs: `fetch` brings them into the arrays above. */
  readonly memory: TensorMemory;
  /** What it runs on; default the CPU. */
  readonly device?: string | undefined;
  /** The layers that are frozen, if there are any. */
  readonly frozen: FrozenLayers | undefined;
  /** Logits of a batch of a training, row-major [rows, labels]. */
  forward(batch: PairBatch): Promise<Float32Array>;
  /** The same of a batch of an evaluation: what frozen layers compute of it is kept where there is memory to spare. */
  evaluate(batch: PairBatch): Promise<Float32Array>;
  /** Adds to `gradients` those of a scalar, given its gradient with respect to the batch's logits [rows, labels]. */
  backward(batch: PairBatch, logitGradients: Float32Array): Promise<void>;
  close(): Promise<void>;
}

/** Compiles forward and backward graph; weights are inputs, so one compilation serves all steps and lengths. With adapters, these alone are trained. With frozen layers, the graphs are those above. */
export async function createTrainableScorer(
  scorer: LoadedScorer,
  { freeze, ...settings }: SessionSettings & Freezable = {},
  adapters?: LoraAdapters,
): Promise<TrainableScorer> {
  const { weights, labels } = scorer;
  const memory = adapters?.memory ?? memoryFor(settings.device);
  const boundary = boundaryOf({ freeze });
  const parameters = new Parameters({ ...graphFormFor(settings.device), boundary });
  const logits = pairLogits(scorer, parameters);
  const weightTensors = {
    ...weightInputs(weights, memory),
    ...(adapters ? weightInputs(adapters.trained, memory) : {}),
  };
  const { frozen, inputsOf } = openFrozen(boundary, scorer, weightTensors, { freeze }, settings);
  const trained = adapters?.trained ?? frozen?.above() ?? weights;
  const seeds = [[logits, input("logit_gradients", "float32", ["batch", labels])]] as const;
  const named = adapters?.adapterGradients(seeds, parameters) ?? parameterGradients(seeds, parameters);
  const gradients = gradientGraph(named, trained, memory);
  const forward = await createSession({ outputs: { logits } }, settings);
  const backward = await createSession({ outputs: gradients.outputs }, { ...settings, staying: gradients.staying });
  const logitsOf = async (batch: PairBatch, purpose: "training" | "evaluation"): Promise<Float32Array> =>
    (await forward.run({ ...weightTensors, ...(await inputsOf(batch, purpose)) })).logits?.data as Float32Array;
  return {
    scorer,
    trained,
    gradients: gradients.sums,
    memory,
    device: settings.device,
    frozen,
    forward: (batch) => logitsOf(batch, "training"),
    evaluate: (batch) => logitsOf(batch, "evaluation"),
    async backward(batch, logitGradients) {
      const logit_gradients = floatTensor(logitGradients, [batch.rows, labels]);
      await gradients.run(
        backward,
        { ...weightTensors, ...(await inputsOf(batch, "training")), logit_gradients },
        batch.dims,
      );
    },
    async close() {
      await forward.close();
      await backward.close();
      await frozen?.close();
      await memory.close();
    },
  };
}
