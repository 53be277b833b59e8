import type { GgufValue } from "./gguf-file.js";

/** What a tensor of the file holds: a weight as it is, or changed. */
export type Change = (data: Float32Array, shape: readonly number[]) => Float32Array;

/** A model as llama.cpp has it. */
export interface GgufForm {
  /** `general.architecture`, which begins the names of `metadata`. */
  architecture: string;
  metadata: readonly (readonly [key: string, value: GgufValue])[];
  /** A tensor's name by the weight's; undefined where llama.cpp has no place for it. */
  nameOf(weight: string): string | undefined;
  /** How a weight's numbers differ there. */
  changeOf?(weight: string): Change | undefined;
  /** Tensors that are no weights. */
  extra?: readonly { name: string; data: Float32Array }[];
}
