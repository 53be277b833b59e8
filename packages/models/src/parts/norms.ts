import { add, layerNorm, rmsNorm, type Value } from "@rag-ft/onnx";
import type { Parameters } from "../graph/parameters.js";

/** Normalises the last axis of x, `size` long, with the weights of this name. */
export type Norm = (x: Value, name: string, size: number) => Value;

/** LayerNorm (Ba et al. 2016), `<name>.weight` and, unless told otherwise, `<name>.bias`. */
export function layerNorms(parameters: Parameters, epsilon: number, { bias = true } = {}): Norm {
  return (x, name, size) => {
    const scale = parameters.get(`${name}.weight`, [size]);
    return layerNorm(x, scale, bias ? parameters.get(`${name}.bias`, [size]) : undefined, epsilon);
  };
}

/** RMSNorm (Zhang & Sennrich 2019), `<name>.weight`: the scale, or with `onePlus` what it has above 1 (Gemma). */
export function rmsNorms(parameters: Parameters, epsilon: number, { onePlus = false } = {}): Norm {
  return (x, name, size) => {
    const weight = parameters.get(`${name}.weight`, [size]);
    return rmsNorm(x, onePlus ? add(weight, 1) : weight, epsilon);
  };
}
