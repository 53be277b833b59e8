import { createRandom } from "@rag-ft/core";
import type { Parameters } from "../graph/parameters.js";
import type { WeightTensor } from "./weight-tensor.js";

/**
 * Weights to train a model from nothing, for all that its graph asked for: matrices [out, in] uniform within ± 1 / √in, biases 0, other
 * vectors (the scales of norms) 1.
 */
export function randomWeights(parameters: Parameters, seed: number): Map<string, WeightTensor> {
  const random = createRandom(seed);
  return new Map(
    parameters.entries().map(([name, value]) => {
      const shape = value.shape.map(Number);
      const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
      const bound = 1 / Math.sqrt(shape.at(-1) ?? 1);
      if (shape.length < 2) data.fill(name.endsWith("bias") ? 0 : 1);
      else for (let i = 0; i < data.length; i++) data[i] = (2 * random.next() - 1) * bound;
      return [name, { shape, data }];
    }),
  );
}
