import { createHash } from "node:crypto";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { InternalError, throwIfCancelled, writeChunksAtomic, writeJsonAtomic } from "@rag-ft/core";
import { z } from "zod";

export const META_FILE = "meta.json";
/** The vectors of version 1. */
export const LIST_FILE = "vectors.f32";
export const PART = /^([0-9a-f]{32})\.part$/;

/** Bytes of a key before its vector. A multiple of 4, so that vectors stay aligned. */
const KEY_BYTES = 16;
/** Vectors of one file, at most: a file is read whole. */
const PART_VECTORS = 8192;
/** Texts that are hashed before others may run. */
const HASHED_AT_ONCE = 10_000;

export const partsMeta = z.object({
  format: z.literal("rag-ft-vectors"),
  version: z.literal(2),
  /** `fingerprint` of the encoder that made the vectors. */
  encoder: z.string(),
  dimensions: z.number().int().min(1),
});

/** The key of a text: the first 128 bits of its SHA-256, in hexadecimal. */
const keyOf = (text: string): string =>
  createHash("sha256")
    .update(text)
    .digest("hex")
    .slice(0, 2 * KEY_BYTES);

/** Keys of texts, in their order. */
export async function textKeys(texts: readonly string[], signal?: AbortSignal): Promise<string[]> {
  const keys: string[] = [];
  for (const [i, text] of texts.entries()) {
    if (i % HASHED_AT_ONCE === HASHED_AT_ONCE - 1) {
      await new Promise(setImmediate);
      if (signal) throwIfCancelled(signal);
    }
    keys.push(keyOf(text));
  }
  return keys;
}

export const isNotThere = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === "ENOENT";

/**
 * One encoder's vectors in a folder, by the hash of their text: what order the texts are in, and which others there are, does not matter. Each
 * `<hash of its bytes>.part` holds keys of 16 bytes, each with its vector as little-endian 32-bit floats. Parts appear whole and are never
 * changed, so that several processes may write at once, and what was embedded before a kill is kept.
 */
export class VectorParts {
  constructor(
    private readonly folder: string,
    private readonly encoder: { fingerprint: string; dimensions: number },
  ) {}

  /**
   * Calls `found` for each kept vector; it must copy what it is given. `afterPart` is waited for after each file. Removes damaged parts, and returns
   * how many.
   */
  async read(found: (key: string, vector: Float32Array) => void, afterPart?: () => Promise<void>): Promise<number> {
    const names = await readdir(this.folder).catch((error) => {
      if (isNotThere(error)) return [];
      throw error;
    });
    const record = KEY_BYTES + this.encoder.dimensions * 4;
    let damaged = 0;
    for (const name of names.filter((one) => PART.test(one)).sort()) {
      // A copy, because a Buffer may start at any byte and floats must be aligned.
      const bytes = new Uint8Array(await readFile(join(this.folder, name)));
      if (bytes.length % record !== 0 || hashOf([bytes]) !== PART.exec(name)?.[1]) {
        damaged++;
        await rm(join(this.folder, name), { force: true });
        continue;
      }
      for (let at = 0; at < bytes.length; at += record) {
        const key = Buffer.from(bytes.buffer, at, KEY_BYTES).toString("hex");
        found(key, new Float32Array(bytes.buffer, at + KEY_BYTES, this.encoder.dimensions));
      }
      await afterPart?.();
    }
    return damaged;
  }

  /** Keeps `vectors`, `[keys, dimensions]`, row-major; on the disk when it returns. */
  async write(keys: readonly string[], vectors: Float32Array): Promise<void> {
    const { fingerprint, dimensions } = this.encoder;
    if (vectors.length !== keys.length * dimensions)
      throw new InternalError(`${vectors.length} numbers are no ${keys.length} vectors in ${dimensions} dimensions.`);
    if (keys.length === 0) return;
    const meta: z.infer<typeof partsMeta> = { format: "rag-ft-vectors", version: 2, encoder: fingerprint, dimensions };
    await writeJsonAtomic(join(this.folder, META_FILE), meta);
    for (let start = 0; start < keys.length; start += PART_VECTORS) {
      const records = keys.slice(start, start + PART_VECTORS).flatMap((key, i) => {
        const from = (start + i) * dimensions;
        const vector = vectors.subarray(from, from + dimensions);
        return [Buffer.from(key, "hex"), Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength)];
      });
      await writeChunksAtomic(join(this.folder, `${hashOf(records)}.part`), [Buffer.concat(records)]);
    }
    // An earlier version's file: the new meta.json no longer tells what it holds.
    await rm(join(this.folder, LIST_FILE), { force: true });
  }
}

function hashOf(chunks: readonly Uint8Array[]): string {
  const hash = createHash("sha256");
  for (const chunk of chunks) hash.update(chunk);
  return hash.digest("hex").slice(0, 32);
}
