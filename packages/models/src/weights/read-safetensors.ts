import { type FileHandle, open } from "node:fs/promises";
import { DataError, UserError } from "@rag-ft/core";
import { decodeBrainFloats, decodeHalves } from "./half.js";
import { type HalfType, HalfWeight } from "./half-weight.js";
import { readSafetensorsHeader, type SafetensorsEntry } from "./safetensors-header.js";
import { elementCount, type WeightTensor } from "./weight-tensor.js";

/** Bytes read at a time: bounds the extra memory of a conversion, and a single read, which the system limits to 2 GiB. */
const CHUNK_BYTES = 8 * 2 ** 20;

/**
 * Types that are no weights but buffers which Python registers beside them (`position_ids` is I64, attention masks BOOL).
 * The graph makes its own, so they are passed over. Any other type that is not F32, F16 or BF16 is an error: quantised
 * weights (I8, U8, I32) cannot be trained, and to leave them out would go unnoticed.
 */
const PASSED_OVER: ReadonlySet<string> = new Set(["I64", "BOOL"]);

async function readFully(path: string, file: FileHandle, target: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < target.length; ) {
    const { bytesRead } = await file.read(target, done, Math.min(CHUNK_BYTES, target.length - done), position + done);
    if (bytesRead === 0) throw new DataError(`${path}: the file became shorter while it was read.`);
    done += bytesRead;
  }
}

/** A matrix in 16 bits: as they are in the file, or rounded to them part by part. */
async function readHalfTensor(
  path: string,
  file: FileHandle,
  entry: SafetensorsEntry,
  type: HalfType,
): Promise<WeightTensor> {
  const weight = HalfWeight.empty(type, entry.shape);
  if (entry.dtype === type) {
    await readFully(path, file, new Uint8Array(weight.bits.buffer), entry.start);
    return weight;
  }
  const size = entry.dtype === "F32" ? 4 : 2;
  for (let at = 0; at < weight.bits.length; at += CHUNK_BYTES / 4) {
    const length = Math.min(CHUNK_BYTES / 4, weight.bits.length - at);
    const part = { ...entry, shape: [length], start: entry.start + at * size };
    weight.fill((await readTensor(path, file, part)).data, at, `${path}: tensor ${entry.name}`);
  }
  return weight;
}

async function readTensor(path: string, file: FileHandle, entry: SafetensorsEntry): Promise<WeightTensor> {
  const data = new Float32Array(elementCount(entry.shape));
  if (entry.dtype === "F32") {
    await readFully(path, file, new Uint8Array(data.buffer), entry.start);
  } else {
    const decode = entry.dtype === "F16" ? decodeHalves : decodeBrainFloats;
    const chunk = new Uint16Array(Math.min(CHUNK_BYTES / 2, data.length));
    for (let at = 0; at < data.length; at += chunk.length) {
      const part = chunk.subarray(0, Math.min(chunk.length, data.length - at));
      await readFully(path, file, new Uint8Array(part.buffer, 0, part.byteLength), entry.start + at * 2);
      decode(part, data, at);
    }
  }
  return { shape: entry.shape, data };
}

export interface SafetensorsContent {
  tensors: Map<string, WeightTensor>;
  /** Names of the buffers that were passed over. */
  passedOver: Set<string>;
}

/** As `readSafetensors`, and says what was passed over. With `matrices`, weights of two dimensions stay in this type. */
export async function readSafetensorsContent(path: string, matrices?: HalfType): Promise<SafetensorsContent> {
  let file: FileHandle;
  try {
    file = await open(path, "r");
  } catch (cause) {
    throw new UserError(`${path}: cannot be opened (${(cause as NodeJS.ErrnoException).code ?? "unknown error"}).`, {
      cause,
    });
  }
  try {
    if ((await file.stat()).isDirectory()) throw new UserError(`${path}: expected a safetensors file, found a folder.`);
    const tensors = new Map<string, WeightTensor>();
    const passedOver = new Set<string>();
    for (const entry of await readSafetensorsHeader(path, file)) {
      if (PASSED_OVER.has(entry.dtype)) {
        passedOver.add(entry.name);
        continue;
      }
      if (!["F32", "F16", "BF16"].includes(entry.dtype)) {
        throw new DataError(
          `${path}: tensor ${entry.name}: dtype ${entry.dtype}, expected F32, F16 or BF16. ` +
            "Quantised models cannot be trained: give the original one.",
        );
      }
      const read =
        matrices !== undefined && entry.shape.length === 2
          ? readHalfTensor(path, file, entry, matrices)
          : readTensor(path, file, entry);
      tensors.set(entry.name, await read);
    }
    return { tensors, passedOver };
  } finally {
    await file.close();
  }
}

/**
 * Reads all weights of a safetensors file (F32, F16, BF16) as single precision. I64 and BOOL buffers are passed over.
 *
 * @throws UserError when there is no such file, DataError (path, tensor, found, expected) when it is malformed or holds
 * another type.
 */
export async function readSafetensors(path: string): Promise<Map<string, WeightTensor>> {
  return (await readSafetensorsContent(path)).tensors;
}
