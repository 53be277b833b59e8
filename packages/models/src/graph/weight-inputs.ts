import { hostMemory, type RunTensor, type TensorMemory } from "@rag-ft/onnx";
import { HalfWeight } from "../weights/half-weight.js";
import type { WeightTensor } from "../weights/weight-tensor.js";

function tensorOf(weight: WeightTensor, memory: TensorMemory): RunTensor {
  const { shape } = weight;
  if (!(weight instanceof HalfWeight)) return memory.of(weight.data, shape);
  return { dtype: weight.type === "F16" ? "float16" : "uint16", shape, data: weight.bits };
}

/** The weights as graph inputs, where they stand: a step of the optimizer shows in the next run. Those of 16 bits are copied to a device for each run. */
export function weightInputs(
  weights: ReadonlyMap<string, WeightTensor>,
  memory: TensorMemory = hostMemory,
): Record<string, RunTensor> {
  return Object.fromEntries([...weights].map(([name, weight]) => [name, tensorOf(weight, memory)]));
}
