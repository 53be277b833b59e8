import { DataError } from "@rag-ft/core";
import type { WeightTensor } from "../weights/weight-tensor.js";

/** How weights of published files are named by what the graph calls them. */
export interface Renaming {
  /** Parts of names and what takes their place, each applied once, in order. */
  names: readonly (readonly [from: RegExp, to: string])[];
  /** Layers that are several of ours, one after the other along the rows. */
  fused?: readonly (readonly [name: string, parts: readonly string[]])[];
}

/** Rows of a matrix or entries of a vector, cut in equal parts. */
function cut({ shape, data }: WeightTensor, count: number, name: string): WeightTensor[] {
  const [rows = 0, ...rest] = shape;
  if (rows % count !== 0) throw new DataError(`the weight ${name} has ${rows} rows, expected a multiple of ${count}.`);
  const size = data.length / count;
  return Array.from({ length: count }, (_, i) => ({
    shape: [rows / count, ...rest],
    data: data.slice(i * size, (i + 1) * size),
  }));
}

/** The weights by the graph's names; those that have them already stay. */
export function renamedWeights(
  weights: ReadonlyMap<string, WeightTensor>,
  { names, fused = [] }: Renaming,
): Map<string, WeightTensor> {
  const renamed = new Map<string, WeightTensor>();
  for (const [name, weight] of weights) {
    const ours = names.reduce((text, [from, to]) => text.replace(from, to), name);
    const [source, parts] = fused.find(([layer]) => ours.includes(`.${layer}.`)) ?? [];
    if (!source || !parts) {
      renamed.set(ours, weight);
      continue;
    }
    const pieces = cut(weight, parts.length, name);
    parts.forEach((part, i) => {
      renamed.set(ours.replace(`.${source}.`, `.${part}.`), pieces[i] as WeightTensor);
    });
  }
  return renamed;
}
