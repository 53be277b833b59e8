import { constant, createSession, floatTensor, memoryFor, type SessionSettings, type TensorMemory } from "@rag-ft/onnx";
import type { GradientSums } from "@rag-ft/train";
import type { FrozenLayers } from "../frozen/frozen-layers.js";
import { boundaryOf, type Freezable, openFrozen } from "../frozen/open-frozen.js";
import { gradientGraph, parameterGradients } from "../graph/gradient-session.js";
import { graphFormFor, Parameters } from "../graph/parameters.js";
import { weightInputs } from "../graph/weight-inputs.js";
import type { LoraAdapters } from "../lora/lora-adapters.js";
import type { WeightTensor } from "../weights/weight-tensor.js";
import type { AnswerBatch } from "./answer-batch.js";
import { answerLoss } from "./answer-loss.js";
import type { LoadedDecoder } from "./load-decoder.js";

/** A decoder whose weights can be changed between runs, with gradients. */
export interface TrainableDecoder {
  readonly decoder: LoadedDecoder; // with adapters on frozen weights of 16 bits: merged, each weight when it is read
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
  /** The batch's loss: the weighted sum over its labels. */
  loss(batch: AnswerBatch): Promise<number>;
  /** The same, and adds its gradients to `gradients`. */
  backward(batch: AnswerBatch): Promise<number>;
  close(): Promise<void>;
}

/**
 * Compiles forward and backward graph; weights are inputs, so one compilation serves all steps and lengths. With adapters, these alone are
 * trained. With frozen layers the graphs are those of the layers above: see `FrozenLayers`.
 */
export async function createTrainableDecoder(
  decoder: LoadedDecoder,
  { freeze, ...settings }: SessionSettings & Freezable = {},
  adapters?: LoraAdapters,
): Promise<TrainableDecoder> {
  const { graph, weights } = decoder;
  const memory = adapters?.memory ?? memoryFor(settings.device);
  const boundary = boundaryOf({ freeze });
  const form = { ...graphFormFor(settings.device), boundary };
  const parameters = adapters?.parameters(form) ?? new Parameters(form);
  const loss = answerLoss(graph, parameters);
  const weightTensors = {
    ...weightInputs(weights, memory),
    ...(adapters ? weightInputs(adapters.weights, memory) : {}),
  };
  const { frozen, inputsOf } = openFrozen(boundary, decoder, weightTensors, { freeze }, settings);
  const trained = adapters?.weights ?? frozen?.above() ?? weights;
  const seeds = [[loss, constant(1)]] as const;
  const named = adapters?.adapterGradients(seeds, parameters) ?? parameterGradients(seeds, parameters);
  const lossSession = await createSession({ outputs: { loss } }, settings);
  const gradients = gradientGraph(named, trained, memory);
  const backwardSession = await createSession(
    { outputs: { loss, ...gradients.outputs } },
    { ...settings, staying: gradients.staying },
  );
  return {
    decoder: adapters?.isInGraph ? { ...decoder, weights: new Map(adapters.merged()) } : decoder,
    trained,
    gradients: gradients.sums,
    memory,
    device: settings.device,
    frozen,
    async loss(batch) {
      const inputs = { ...weightTensors, ...(await inputsOf(batch, "evaluation")) };
      return (await lossSession.run(inputs)).loss?.data[0] as number;
    },
    async backward(batch) {
      const loss = floatTensor(new Float32Array(1), []);
      const inputs = { ...weightTensors, ...(await inputsOf(batch, "training")) };
      const results = await gradients.run(backwardSession, inputs, batch.dims, { loss });
      return results.loss?.data[0] as number;
    },
    async close() {
      await lossSession.close();
      await backwardSession.close();
      await frozen?.close();
      await memory.close();
    },
  };
}
