import { createSession, floatTensor, input, type SessionSettings } from "@rag-ft/onnx";
import type { GradientSums } from "@rag-ft/train";
import { createGradientSession, parameterGradients } from "../graph/gradient-session.js";
import { Parameters } from "../graph/parameters.js";
import { weightInputs } from "../graph/weight-inputs.js";
import type { LoraAdapters } from "../lora/lora-adapters.js";
import type { WeightTensor } from "../weights/weight-tensor.js";
import { type EmbedOptions, embedTexts, type TextKind } from "./embed-texts.js";
import { type LoadedEncoder, sentenceVectors } from "./load-encoder.js";
import type { TokenBatch } from "./token-batch.js";

/** An encoder whose weights can be changed between runs, with gradients. */
export interface TrainableEncoder {
  readonly encoder: LoadedEncoder;
  /** What is trained: all weights, or adapters. */
  readonly trained: ReadonlyMap<string, WeightTensor>;
  /** Sums of gradients of what is trained since they were last set to zero, by name. */
  readonly gradients: GradientSums;
  /** Vectors of a batch, row-major [rows, dimensions], not normalised. */
  forward(batch: TokenBatch): Promise<Float32Array>;
  /** Adds to `gradients` those of a scalar, given its gradient with respect to the batch's vectors [rows, dimensions]. */
  backward(batch: TokenBatch, vectorGradients: Float32Array): Promise<void>;
  /** Vectors of texts with the present weights. */
  embed(texts: readonly string[], kind: TextKind, options?: EmbedOptions): Promise<Float32Array>;
  close(): Promise<void>;
}

/**
 * Compiles forward and backward graph; weights are inputs, so one compilation serves all steps and lengths. With adapters, these alone are
 * trained.
 */
export async function createTrainableEncoder(
  encoder: LoadedEncoder,
  settings: SessionSettings = {},
  adapters?: LoraAdapters,
): Promise<TrainableEncoder> {
  const { graph, weights } = encoder;
  const trained = adapters?.weights ?? weights;
  const parameters = new Parameters();
  const vectors = sentenceVectors(graph, parameters);
  const seeds = [[vectors, input("vector_gradients", "float32", ["batch", graph.dimensions])]] as const;
  const named = adapters?.adapterGradients(seeds, parameters) ?? parameterGradients(seeds, parameters);
  const forwardSession = await createSession({ outputs: { vectors } }, settings);
  const backwardSession = await createGradientSession({}, named, trained, settings);
  const weightTensors = { ...weightInputs(weights), ...(adapters ? weightInputs(trained) : {}) };

  const forward = async (batch: TokenBatch): Promise<Float32Array> =>
    (await forwardSession.run({ ...weightTensors, ...batch.inputs })).vectors?.data as Float32Array;
  return {
    encoder,
    trained,
    gradients: backwardSession.gradients,
    forward,
    async backward(batch, vectorGradients) {
      const seeds = floatTensor(vectorGradients, [batch.rows, graph.dimensions]);
      await backwardSession.run({ ...weightTensors, ...batch.inputs, vector_gradients: seeds });
    },
    embed: (texts, kind, options) => embedTexts(encoder, forward, texts, kind, options),
    async close() {
      await forwardSession.close();
      await backwardSession.close();
    },
  };
}
