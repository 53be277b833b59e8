import { DataError } from "@rag-ft/core";
import { encodeHalves, overflowOfHalves } from "../weights/half.js";
import type { GgufTensor, GgufType } from "./gguf-file.js";

/** Numbers that share a scale in Q8_0. */
export const Q8_BLOCK = 32;

/** Floats as Q8_0: of each 32, a scale (F16, the largest magnitude / 127) and whole numbers from -127 to 127. */
export function encodeQ8(values: Float32Array): Uint8Array {
  const blocks = values.length / Q8_BLOCK;
  const bytes = new Uint8Array(blocks * (2 + Q8_BLOCK));
  const scales = new Float32Array(blocks);
  for (let block = 0; block < blocks; block++) {
    let most = 0;
    for (let i = block * Q8_BLOCK; i < (block + 1) * Q8_BLOCK; i++)
      most = Math.max(most, Math.abs(values[i] as number));
    scales[block] = most / 127;
    const inverse = most === 0 ? 0 : 127 / most;
    for (let i = 0; i < Q8_BLOCK; i++) {
      bytes[block * (2 + Q8_BLOCK) + 2 + i] = Math.round((values[block * Q8_BLOCK + i] as number) * inverse);
    }
  }
  const halves = encodeHalves(scales);
  for (let block = 0; block < blocks; block++) {
    const half = halves[block] as number;
    bytes[block * (2 + Q8_BLOCK)] = half & 0xff;
    bytes[block * (2 + Q8_BLOCK) + 1] = half >>> 8;
  }
  return bytes;
}

/** What llama.cpp adds to activations, and so must be in single precision: all vectors, and BERT's small tables. */
const SINGLE = new Set(["position_embd.weight", "token_types.weight"]);

/** A tensor of the file. Matrices are in `type`; with rows that 32 does not divide, Q8_0 becomes F16. */
export function ggufTensor(
  path: string,
  name: string,
  shape: readonly number[],
  type: GgufType,
  data: () => Float32Array,
): GgufTensor {
  const matrix = shape.length === 2 && !SINGLE.has(name);
  const chosen = !matrix ? "F32" : type === "Q8_0" && (shape[1] as number) % Q8_BLOCK !== 0 ? "F16" : type;
  const read = (): Uint8Array => {
    const values = data();
    if (chosen === "F32") return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    if (chosen === "Q8_0") return encodeQ8(values);
    const halves = encodeHalves(values);
    const lost = overflowOfHalves(halves, values);
    if (lost !== undefined) {
      throw new DataError(`${path}: tensor ${name}: ${lost} is beyond F16 (at most 65504). Export it as gguf-q8_0.`);
    }
    return new Uint8Array(halves.buffer);
  };
  return { name, shape, type: chosen, read };
}
