import { join } from "node:path";
import { writeFolderAtomic } from "@rag-ft/core";
import { saveDenseWeights } from "../checkpoint/dense-files.js";
import { writeSentenceTransformersFiles } from "../checkpoint/sentence-transformers-files.js";
import { copyModelSideFiles } from "../checkpoint/side-files.js";
import type { LoadedEncoder } from "../encoder/load-encoder.js";
import { writeSafetensors } from "../weights/write-safetensors.js";
import { exportEncoder } from "./export-encoder.js";
import { writeOnnx } from "./write-onnx.js";

/**
 * Writes an encoder as a folder that transformers.js (with `onnx`), sentence-transformers and we load; whole or not at all. `extra` may add files of its
 * own to the folder before it appears.
 */
export async function saveEncoder(
  folder: string,
  encoder: LoadedEncoder,
  extra?: (temporary: string) => Promise<void>,
  { onnx = true }: { onnx?: boolean | undefined } = {},
): Promise<void> {
  const { settings, graph, weights } = encoder;
  await writeFolderAtomic(folder, async (temporary) => {
    await copyModelSideFiles(encoder.folder, temporary);
    const dense = graph.head?.dense ?? [];
    const body = await saveDenseWeights(temporary, dense, weights);
    await writeSafetensors(join(temporary, "model.safetensors"), body);
    await writeSentenceTransformersFiles(temporary, {
      pooling: settings.pooling,
      dimensions: graph.hiddenSize ?? graph.dimensions,
      similarity: settings.similarity,
      maxSeqLength: settings.max_length,
      queryPrefix: settings.query_prefix,
      passagePrefix: settings.passage_prefix,
      ...(dense.length > 0 ? { dense } : {}),
      ...(settings.truncate_dim === undefined ? {} : { truncateDim: settings.truncate_dim }),
    });
    if (onnx) await writeOnnx(temporary, exportEncoder(encoder));
    await extra?.(temporary);
  });
}
