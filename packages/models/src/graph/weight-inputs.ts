import { floatTensor, input, type Tensor, type Value } from "@rag-ft/onnx";
import { accumulateGradient, backward, type GradientSums } from "@rag-ft/train";
import type { WeightTensor } from "../weights/weight-tensor.js";
import type { Parameters } from "./parameters.js";

/** The weights as graph inputs. The arrays are shared, so a step of the optimizer shows in the next run. */
export function weightInputs(weights: ReadonlyMap<string, WeightTensor>): Record<string, Tensor> {
  return Object.fromEntries([...weights].map(([name, { data, shape }]) => [name, floatTensor(data, shape)]));
}

const sumName = (name: string): string => `gradient of ${name}`;

/**
 * Outputs of a graph that add gradients to sums: an input and an output of the same name each, since ONNX Runtime lets them share
 * memory.
 */
export function summedGradients(gradients: readonly (readonly [name: string, Value])[]): Record<string, Value> {
  return Object.fromEntries(
    gradients.map(([name, gradient]) => {
      const sum = input(`${sumName(name)} so far`, "float32", gradient.shape);
      return [sumName(name), accumulateGradient(sum, gradient)];
    }),
  );
}

/** `summedGradients` of all parameters. */
export function gradientOutputs(
  seeds: readonly (readonly [Value, Value])[],
  parameters: Parameters,
): Record<string, Value> {
  const entries = parameters.entries();
  const gradients = backward(
    seeds,
    entries.map(([, value]) => value),
  );
  return summedGradients(entries.map(([name], i) => [name, gradients[i] as Value]));
}

/** Sums as inputs and as the memory of outputs of a graph with `gradientOutputs`. */
export function gradientTensors(
  sums: GradientSums,
  weights: ReadonlyMap<string, WeightTensor>,
): { inputs: Record<string, Tensor>; outputs: Record<string, Tensor> } {
  const tensors = [...sums].map(([name, data]) => [name, floatTensor(data, weights.get(name)?.shape ?? [])] as const);
  return {
    inputs: Object.fromEntries(tensors.map(([name, tensor]) => [`${sumName(name)} so far`, tensor])),
    outputs: Object.fromEntries(tensors.map(([name, tensor]) => [sumName(name), tensor])),
  };
}
