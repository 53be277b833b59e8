import { floatTensor, type Tensor } from "@rag-ft/onnx";
import { HalfWeight } from "../weights/half-weight.js";
import type { WeightTensor } from "../weights/weight-tensor.js";

function tensorOf(weight: WeightTensor): Tensor {
  const { shape } = weight;
  if (!(weight instanceof HalfWeight)) return floatTensor(weight.data, shape);
  return { dtype: weight.type === "F16" ? "float16" : "uint16", shape, data: weight.bits };
}

/** The weights as graph inputs. The arrays are shared, so a step of the optimizer shows in the next run. */
export function weightInputs(weights: ReadonlyMap<string, WeightTensor>): Record<string, Tensor> {
  return Object.fromEntries([...weights].map(([name, weight]) => [name, tensorOf(weight)]));
}
