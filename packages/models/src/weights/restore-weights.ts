import { DataError } from "@rag-ft/core";
import { loadWeights } from "./load-weights.js";
import type { WeightTensor } from "./weight-tensor.js";

/** Puts the weights of a checkpoint folder back into the arrays that a model in memory uses. */
export async function restoreWeights(
  weights: ReadonlyMap<string, WeightTensor>,
  folder: string,
  prefixes: readonly string[] = [],
): Promise<void> {
  const saved = await loadWeights(folder);
  for (const [name, weight] of weights) {
    const found = saved.get(name) ?? prefixes.map((prefix) => saved.get(prefix + name)).find((tensor) => tensor);
    if (found?.data.length !== weight.data.length) throw new DataError(`${folder}: the weight ${name} is missing.`);
    weight.data.set(found.data);
  }
}
