import type { Hash } from "node:crypto";

/** Elements hashed at a time: Node refuses more than 2 GiB in one call. */
const CHUNK_ELEMENTS = 2 ** 26;

/** Adds a weight to a hash: its name, and the bytes of its data. */
export function hashWeight(hash: Hash, name: string, data: Float32Array): void {
  hash.update(name);
  for (let at = 0; at < data.length; at += CHUNK_ELEMENTS) {
    const part = data.subarray(at, at + CHUNK_ELEMENTS);
    hash.update(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
  }
}
