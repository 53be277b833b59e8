import { createHash } from "node:crypto";
import { access, readdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type Reporter, writeFolderAtomic } from "@rag-ft/core";
import { graphCacheFolder, shrinkGraphCache, touchGraph } from "../cache/graph-cache.js";
import { copyModelSideFiles } from "../checkpoint/side-files.js";
import { loadDecoder } from "../decoder/load-decoder.js";
import { exportDecoder } from "./export-decoder.js";
import { onnxState } from "./made-from.js";
import { writeOnnx } from "./write-onnx.js";

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Bytes of the cache at most: `RAG_FT_CACHE_GB`, 20 when it is not a number. */
function cacheLimit(env: Readonly<Record<string, string | undefined>>): number {
  const given = Number.parseFloat(env.RAG_FT_CACHE_GB ?? "");
  return (given >= 0 ? given : 20) * 1e9;
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
 * A folder of the decoder that transformers.js can load: the folder itself when it has an `onnx/model.onnx` of its weights, else a cached copy
 * (`RAG_FT_CACHE`, or `~/.cache/rag-ft`) with a graph that our engine makes of its safetensors.
 */
export async function ensureOnnxDecoder(
  folder: string,
  reporter: Reporter,
  env: Readonly<Record<string, string | undefined>> = {},
): Promise<string> {
  const state = await onnxState(folder);
  if (state === "current") return folder;
  const made = join(graphCacheFolder(env), await folderKey(folder));
  if (await exists(join(made, "onnx", "model.onnx"))) {
    await touchGraph(made);
    return made;
  }
  const why = {
    absent: "",
    stale: ", since onnx/model.onnx was made of other weights",
    older: ", since onnx/model.onnx is older",
  };
  reporter.info(`${folder}: making an ONNX graph of its safetensors (once)${why[state]}`);
  const decoder = await loadDecoder(folder, { env, reporter });
  await writeFolderAtomic(made, async (temporary) => {
    await copyModelSideFiles(folder, temporary);
    await writeOnnx(temporary, exportDecoder(decoder));
  });
  const removed = await shrinkGraphCache(env, cacheLimit(env), made);
  if (removed.length > 0)
    reporter.info(
      `${graphCacheFolder(env)}: ${removed.length} ONNX graphs unused for longest were removed (RAG_FT_CACHE_GB).`,
    );
  return made;
}
