import { DataError } from "@rag-ft/core";
import { input, type Value } from "@rag-ft/onnx";
import type { WeightTensor } from "../weights/weight-tensor.js";

/**
 * The weights that an architecture asks for while its graph is built: each name becomes one graph input, so that one compiled
 * graph serves every step of training; an exported model bakes the data in instead.
 */
export class Parameters {
  private readonly values = new Map<string, Value>();

  /** The weight of this name (Hugging Face's) and shape. */
  get(name: string, shape: readonly number[]): Value {
    let value = this.values.get(name);
    if (!value) {
      value = input(name, "float32", shape);
      this.values.set(name, value);
    }
    return value;
  }

  /** All that was asked for, in order. */
  entries(): [name: string, value: Value][] {
    return [...this.values];
  }
}

/**
 * Picks from a folder's weights those that the graph asks for.
 *
 * @param prefixes Left off the names found, such as `bert.` in checkpoints of a model with a head.
 * @throws DataError naming the first weight that is missing or has another shape.
 */
export function matchWeights(
  parameters: Parameters,
  weights: ReadonlyMap<string, WeightTensor>,
  folder: string,
  prefixes: readonly string[] = [],
): Map<string, WeightTensor> {
  const matched = new Map<string, WeightTensor>();
  for (const [name, { shape }] of parameters.entries()) {
    const found = [name, ...prefixes.map((prefix) => prefix + name)].find((candidate) => weights.has(candidate));
    const weight = found === undefined ? undefined : weights.get(found);
    if (!weight) {
      throw new DataError(
        `${folder}: the weight ${name} is missing among the ${weights.size} of its safetensors. Is config.json of the same model?`,
      );
    }
    if (weight.shape.join() !== shape.join()) {
      throw new DataError(
        `${folder}: the weight ${name} has shape [${weight.shape.join(", ")}], but config.json asks for [${shape.join(", ")}].`,
      );
    }
    matched.set(name, weight);
  }
  return matched;
}
