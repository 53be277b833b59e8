import { floatTensor, type Tensor } from "@rag-ft/onnx";
import type { WeightTensor } from "../weights/weight-tensor.js";

/** Prefix of the outputs that hold gradients. */
const GRADIENT = "gradient of ";

export const gradientOutput = (name: string): string => GRADIENT + name;

/** The weights as graph inputs. The arrays are shared, so a step of the optimizer shows in the next run. */
export function weightInputs(weights: ReadonlyMap<string, WeightTensor>): Record<string, Tensor> {
  return Object.fromEntries([...weights].map(([name, { data, shape }]) => [name, floatTensor(data, shape)]));
}

/** Gradients among the outputs of a run, by the weight's name. */
export function gradientsIn(outputs: Readonly<Record<string, Tensor>>): [name: string, gradient: Float32Array][] {
  return Object.entries(outputs)
    .filter(([name]) => name.startsWith(GRADIENT))
    .map(([name, { data }]) => [name.slice(GRADIENT.length), data as Float32Array]);
}
