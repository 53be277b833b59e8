import type { Random } from "@rag-ft/core";

/**
 * First values of an adapter, as PEFT's: A [r, in] is Kaiming-uniform with a = √5 (He et al. 2015), which is uniform within ±1/√in; B [out, r]
 * is 0, so that training starts from the base model.
 */
export function initialAdapter(
  r: number,
  inputs: number,
  outputs: number,
  random: Random,
): { a: Float32Array; b: Float32Array } {
  const bound = 1 / Math.sqrt(inputs);
  const a = Float32Array.from({ length: r * inputs }, () => (2 * random.next() - 1) * bound);
  return { a, b: new Float32Array(outputs * r) };
}
