import { createHash } from "node:crypto";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { UserError, writeFolderAtomic } from "@rag-ft/core";
import { z } from "zod";

const META_FILE = "meta.json";
const VECTORS_FILE = "vectors.f32";

const metaSchema = z.object({
  format: z.literal("rag-ft-vectors"),
  version: z.literal(1),
  /** `fingerprint` of the encoder that made the vectors. */
  encoder: z.string(),
  /** Hash of the embedded texts, in order. */
  passages_sha256: z.string(),
  passages: z.number().int().min(1),
  dimensions: z.number().int().min(1),
  /** Hash of the vectors file, which holds `[passages, dimensions]` little-endian 32-bit floats. */
  vectors_sha256: z.string(),
});

/** What a cache must have been made of to be used. */
export interface CacheKey {
  encoder: string;
  passages_sha256: string;
  passages: number;
  dimensions: number;
}

export type CacheState =
  | { state: "ready"; vectors: Float32Array }
  /** Nothing there yet. */
  | { state: "absent" }
  /** Ours, but of another encoder or database, or damaged: may be replaced. */
  | { state: "stale"; reason: string };

function sha256(data: Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

function staleReason(meta: z.infer<typeof metaSchema>, key: CacheKey): string | undefined {
  if (meta.passages_sha256 !== key.passages_sha256) return "it holds other passages";
  if (meta.encoder !== key.encoder || meta.dimensions !== key.dimensions) return "it was made by another encoder";
  return undefined;
}

/**
 * Looks at the cache in `folder`.
 *
 * @throws UserError when the path holds something that is not a cache of ours: it is never overwritten.
 */
export async function readVectorCache(folder: string, key: CacheKey): Promise<CacheState> {
  const foreign = (found: string): UserError =>
    new UserError(
      `${folder}: expected a new folder or an index of rag-ft (${META_FILE}, ${VECTORS_FILE}), found ${found}. ` +
        "Nothing was overwritten. Give index_path another folder.",
    );
  let entries: string[];
  try {
    if (!(await stat(folder)).isDirectory()) throw foreign("a file");
    entries = await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { state: "absent" };
    throw error;
  }
  if (entries.length === 0) return { state: "absent" };
  const other = entries.find((name) => name !== META_FILE && name !== VECTORS_FILE);
  if (other !== undefined) throw foreign(`${other} in it`);
  if (!entries.includes(META_FILE)) throw foreign(`${VECTORS_FILE} without ${META_FILE}`);
  let meta: z.infer<typeof metaSchema>;
  try {
    meta = metaSchema.parse(JSON.parse(await readFile(join(folder, META_FILE), "utf8")));
  } catch {
    throw foreign(`a ${META_FILE} of another program`);
  }
  const reason = staleReason(meta, key);
  if (reason !== undefined) return { state: "stale", reason };
  const bytes = await readFile(join(folder, VECTORS_FILE)).catch(() => new Uint8Array(0));
  if (bytes.byteLength !== meta.passages * meta.dimensions * 4 || sha256(bytes) !== meta.vectors_sha256) {
    return { state: "stale", reason: "its vectors are damaged" };
  }
  // A copy, because a Buffer may start at any byte and floats must be aligned.
  return { state: "ready", vectors: new Float32Array(new Uint8Array(bytes).buffer) };
}

/** Writes the cache whole or not at all. */
export async function writeVectorCache(folder: string, key: CacheKey, vectors: Float32Array): Promise<void> {
  const bytes = new Uint8Array(vectors.buffer, vectors.byteOffset, vectors.byteLength);
  const meta: z.infer<typeof metaSchema> = {
    format: "rag-ft-vectors",
    version: 1,
    ...key,
    vectors_sha256: sha256(bytes),
  };
  await writeFolderAtomic(folder, async (temporary) => {
    await writeFile(join(temporary, VECTORS_FILE), bytes);
    await writeFile(join(temporary, META_FILE), `${JSON.stringify(meta, null, 2)}\n`);
  });
}
