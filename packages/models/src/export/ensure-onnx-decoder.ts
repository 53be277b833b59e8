import { createHash } from "node:crypto";
import { access, readdir, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { type Reporter, writeFolderAtomic } from "@rag-ft/core";
import { copyModelSideFiles } from "../checkpoint/side-files.js";
import { loadDecoder } from "../decoder/load-decoder.js";
import { exportDecoder } from "./export-decoder.js";
import { writeOnnx } from "./write-onnx.js";

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** To be raised when the graph of an export changes: cached ones are then made anew. */
const EXPORT_VERSION = 2;

/** Changes when a file of the folder changes, without reading the weights. */
async function folderKey(folder: string): Promise<string> {
  const hash = createHash("sha256").update(`${EXPORT_VERSION}\n${resolve(folder)}`);
  for (const name of (await readdir(folder)).sort()) {
    const { size, mtimeMs } = await stat(join(folder, name));
    hash.update(`${name}:${size}:${mtimeMs}\n`);
  }
  return hash.digest("hex").slice(0, 24);
}

/**
 * A folder of the decoder that transformers.js can load: the folder itself when it has `onnx/model.onnx`, else a cached copy
 * (`RAG_FT_CACHE`, or `~/.cache/rag-ft`) with a graph that our engine makes of its safetensors.
 */
export async function ensureOnnxDecoder(
  folder: string,
  reporter: Reporter,
  env: Readonly<Record<string, string | undefined>> = {},
): Promise<string> {
  if (await exists(join(folder, "onnx", "model.onnx"))) return folder;
  const cache = env.RAG_FT_CACHE ?? join(homedir(), ".cache", "rag-ft");
  const made = join(cache, "onnx", await folderKey(folder));
  if (await exists(join(made, "onnx", "model.onnx"))) return made;
  reporter.info(`${folder}: making an ONNX graph of its safetensors (once)`);
  const decoder = await loadDecoder(folder, { env, reporter });
  await writeFolderAtomic(made, async (temporary) => {
    await copyModelSideFiles(folder, temporary);
    await writeOnnx(temporary, exportDecoder(decoder));
  });
  return made;
}
