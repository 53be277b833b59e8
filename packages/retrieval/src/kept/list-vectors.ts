import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { LIST_FILE, META_FILE } from "./vector-parts.js";

/** The layout of version 1: the vectors of one list of passages in one file. It is read where it fits, and no longer written. */
export const listMeta = z.object({
  format: z.literal("rag-ft-vectors"),
  version: z.literal(1),
  encoder: z.string(),
  /** Hash of the embedded texts, in order. */
  passages_sha256: z.string(),
  passages: z.number().int().min(1),
  dimensions: z.number().int().min(1),
  /** Hash of the vectors file, which holds `[passages, dimensions]` little-endian 32-bit floats. */
  vectors_sha256: z.string(),
});

/** The vectors of exactly these texts by this encoder, `[texts, dimensions]`; undefined when the folder holds others, none, or damaged ones. */
export async function readListVectors(
  folder: string,
  texts: readonly string[],
  encoder: { fingerprint: string; dimensions: number },
): Promise<Float32Array | undefined> {
  const text = await readFile(join(folder, META_FILE), "utf8").catch(() => "null");
  const { data: meta } = listMeta.safeParse(JSON.parse(text));
  if (meta?.encoder !== encoder.fingerprint || meta.dimensions !== encoder.dimensions) return undefined;
  const hash = createHash("sha256");
  // The length parts texts, so that no two lists of texts give the same bytes.
  for (const one of texts) hash.update(`${one.length}\n`).update(one);
  if (meta.passages_sha256 !== hash.digest("hex")) return undefined;
  const bytes = await readFile(join(folder, LIST_FILE)).catch(() => new Uint8Array(0));
  const isWhole =
    bytes.byteLength === texts.length * encoder.dimensions * 4 &&
    createHash("sha256").update(bytes).digest("hex") === meta.vectors_sha256;
  return isWhole ? new Float32Array(new Uint8Array(bytes).buffer) : undefined;
}
