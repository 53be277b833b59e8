import { createSession, floatTensor, input, type SessionSettings } from "@rag-ft/onnx";
import { accumulate, backward } from "@rag-ft/train";
import { Parameters } from "../graph/parameters.js";
import { gradientOutput, gradientsIn, weightInputs } from "../graph/weight-inputs.js";
import { type EmbedOptions, embedTexts, type TextKind } from "./embed-texts.js";
import { type LoadedEncoder, sentenceVectors } from "./load-encoder.js";
import type { TokenBatch } from "./token-batch.js";

/** An encoder whose weights can be changed between runs, with gradients. */
export interface TrainableEncoder {
  readonly encoder: LoadedEncoder;
  /** Sums of gradients since they were last cleared, by weight name. */
  readonly gradients: Map<string, Float32Array>;
  /** Vectors of a batch, row-major [rows, dimensions], not normalised. */
  forward(batch: TokenBatch): Promise<Float32Array>;
  /** Adds to `gradients` those of a scalar, given its gradient with respect to the batch's vectors [rows, dimensions]. */
  backward(batch: TokenBatch, vectorGradients: Float32Array): Promise<void>;
  /** Vectors of texts with the present weights. */
  embed(texts: readonly string[], kind: TextKind, options?: EmbedOptions): Promise<Float32Array>;
  close(): Promise<void>;
}

/** Compiles forward and backward graph; weights are inputs, so one compilation serves all steps and lengths. */
export async function createTrainableEncoder(
  encoder: LoadedEncoder,
  settings: SessionSettings = {},
): Promise<TrainableEncoder> {
  const { graph, weights } = encoder;
  const parameters = new Parameters();
  const vectors = sentenceVectors(graph, parameters);
  const seed = input("vector_gradients", "float32", ["batch", graph.dimensions]);
  const entries = parameters.entries();
  const gradientValues = backward(
    [[vectors, seed]],
    entries.map(([, value]) => value),
  );
  const outputs = Object.fromEntries(
    entries.map(([name], i) => [gradientOutput(name), gradientValues[i] as typeof vectors]),
  );
  const forwardSession = await createSession({ outputs: { vectors } }, settings);
  const backwardSession = await createSession({ outputs }, settings);
  const weightTensors = weightInputs(weights);
  const gradients = new Map<string, Float32Array>();

  const forward = async (batch: TokenBatch): Promise<Float32Array> =>
    (await forwardSession.run({ ...weightTensors, ...batch.inputs })).vectors?.data as Float32Array;
  return {
    encoder,
    gradients,
    forward,
    async backward(batch, vectorGradients) {
      const run = await backwardSession.run({
        ...weightTensors,
        ...batch.inputs,
        vector_gradients: floatTensor(vectorGradients, [batch.rows, graph.dimensions]),
      });
      for (const [name, gradient] of gradientsIn(run)) accumulate(gradients, name, gradient);
    },
    embed: (texts, kind, options) => embedTexts(encoder, forward, texts, kind, options),
    async close() {
      await forwardSession.close();
      await backwardSession.close();
    },
  };
}
