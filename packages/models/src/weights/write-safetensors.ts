import { DataError, InternalError, writeChunksAtomic } from "@rag-ft/core";
import { encodeHalves, overflowOfHalves } from "./half.js";
import { elementCount, type WeightTensor } from "./weight-tensor.js";

/** Elements converted at a time when writing F16. */
const CHUNK_ELEMENTS = 2 ** 21;

export interface WriteSafetensorsOptions {
  /** Added to `{ format: "pt" }`, which Python's transformers asks for. */
  metadata?: Record<string, string>;
  /** Type on disk (default F32). */
  dtype?: "F32" | "F16";
}

function buildHeader(
  tensors: readonly (readonly [string, WeightTensor])[],
  metadata: Record<string, string>,
  dtype: "F32" | "F16",
): Buffer {
  const bytes = dtype === "F32" ? 4 : 2;
  // No prototype, so that a tensor named `__proto__` is a key like any other.
  const header: Record<string, unknown> = Object.assign(Object.create(null), { __metadata__: metadata });
  let at = 0;
  for (const [name, { shape }] of tensors) {
    const end = at + elementCount(shape) * bytes;
    header[name] = { dtype, shape, data_offsets: [at, end] };
    at = end;
  }
  const json = Buffer.from(JSON.stringify(header));
  const padded = Math.ceil(json.length / 8) * 8; // The data starts at a multiple of 8 bytes.
  const result = Buffer.alloc(8 + padded, " ");
  result.writeBigUInt64LE(BigInt(padded), 0);
  json.copy(result, 8);
  return result;
}

function requireFilled(name: string, shape: readonly number[], data: Float32Array): void {
  if (data.length === elementCount(shape)) return;
  throw new InternalError(`Tensor ${name}: ${data.length} elements do not fill shape [${shape.join(", ")}].`);
}

function* halfChunks(path: string, name: string, data: Float32Array): Generator<Uint8Array> {
  for (let at = 0; at < data.length; at += CHUNK_ELEMENTS) {
    const part = data.subarray(at, at + CHUNK_ELEMENTS);
    const halves = encodeHalves(part);
    const lost = overflowOfHalves(halves, part);
    if (lost !== undefined) {
      throw new DataError(`${path}: tensor ${name}: ${lost} is beyond F16 (at most 65504). Write it as F32.`);
    }
    yield new Uint8Array(halves.buffer);
  }
}

function* chunks(
  path: string,
  tensors: readonly (readonly [string, WeightTensor])[],
  metadata: Record<string, string>,
  dtype: "F32" | "F16",
): Generator<Uint8Array> {
  yield buildHeader(tensors, metadata, dtype);
  for (const [name, { shape, data }] of tensors) {
    requireFilled(name, shape, data);
    if (dtype === "F32") yield new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    else yield* halfChunks(path, name, data);
  }
}

/**
 * Writes weights as a safetensors file, keys sorted, whole or not at all. The tensors' own memory is written, one after the other, so that the
 * extra memory is the header and, for F16, one chunk.
 */
export async function writeSafetensors(
  path: string,
  tensors: Iterable<readonly [string, WeightTensor]>,
  options: WriteSafetensorsOptions = {},
): Promise<void> {
  const sorted = [...tensors].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  for (const [i, [name]] of sorted.entries()) {
    if (sorted[i + 1]?.[0] === name) throw new InternalError(`Tensor ${name} is given twice.`);
  }
  const metadata = { format: "pt", ...options.metadata };
  await writeChunksAtomic(path, chunks(path, sorted, metadata, options.dtype ?? "F32"));
}
