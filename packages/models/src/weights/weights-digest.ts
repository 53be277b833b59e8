import { createHash } from "node:crypto";
import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { readSafetensorsHeader } from "./safetensors-header.js";

/** Bytes read of a tensor, at its start, middle and end each. */
const SAMPLE_BYTES = 256;

/**
 * A hash of a folder's safetensors by content, in milliseconds: names, types and shapes of all tensors, and three samples of each. Training changes
 * every value of what it trains, so that the samples tell other weights. Undefined when the folder has none.
 */
export async function weightsDigest(folder: string): Promise<string | undefined> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".safetensors")).sort();
  if (names.length === 0) return undefined;
  const hash = createHash("sha256");
  const sample = Buffer.alloc(SAMPLE_BYTES);
  for (const name of names) {
    const path = join(folder, name);
    const file = await open(path, "r");
    try {
      for (const { start, bytes, ...tensor } of await readSafetensorsHeader(path, file)) {
        hash.update(JSON.stringify([tensor.name, tensor.dtype, tensor.shape]));
        const last = Math.max(0, bytes - SAMPLE_BYTES);
        for (const at of [0, Math.floor(last / 2), last]) {
          const { bytesRead } = await file.read(sample, 0, Math.min(SAMPLE_BYTES, bytes), start + at);
          hash.update(sample.subarray(0, bytesRead));
        }
      }
    } finally {
      await file.close();
    }
  }
  return hash.digest("hex");
}
