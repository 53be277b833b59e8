import { DataError, InternalError } from "@rag-ft/core";
import { hostMemory, type TensorMemory } from "@rag-ft/onnx";
import { HalfWeight } from "./half-weight.js";
import type { WeightTensor } from "./weight-tensor.js";

/**
 * Reads the weights of a folder by the graph's names: the model's own folder, or one that we saved.
 *
 * @throws UserError or DataError when they are not there, or of another model.
 */
export type WeightReader = (folder: string) => Promise<Map<string, WeightTensor>>;

/** Puts the weights of a folder back into the arrays that a model uses, which stand in `memory` between runs. */
export async function restoreWeights(
  weights: ReadonlyMap<string, WeightTensor>,
  folder: string,
  read: WeightReader,
  memory: TensorMemory = hostMemory,
): Promise<void> {
  const saved = await read(folder);
  for (const [name, weight] of weights) {
    if (weight instanceof HalfWeight) throw new InternalError(`the weight ${name} is frozen in 16 bits`);
    const found = saved.get(name);
    if (found?.data.length !== weight.data.length) throw new DataError(`${folder}: the weight ${name} is missing.`);
    weight.data.set(found.data);
    memory.wrote([weight.data]);
  }
}
