import { floatTensor, type Tensor } from "@rag-ft/onnx";
import type { WeightTensor } from "../weights/weight-tensor.js";

/** The weights as graph inputs. The arrays are shared, so a step of the optimizer shows in the next run. */
export function weightInputs(weights: ReadonlyMap<string, WeightTensor>): Record<string, Tensor> {
  return Object.fromEntries([...weights].map(([name, { data, shape }]) => [name, floatTensor(data, shape)]));
}
