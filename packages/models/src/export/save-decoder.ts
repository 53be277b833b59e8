import { join } from "node:path";
import { writeFolderAtomic } from "@rag-ft/core";
import { copyModelSideFiles } from "../checkpoint/side-files.js";
import type { LoadedDecoder } from "../decoder/load-decoder.js";
import { writeSafetensors } from "../weights/write-safetensors.js";
import { exportDecoder } from "./export-decoder.js";
import { recordWeights } from "./made-from.js";
import { writeOnnx } from "./write-onnx.js";

/**
 * Writes a decoder as a folder that transformers.js (with `onnx`), Python transformers and we load; whole or not at all. `extra` may add
 * files of its own to the folder before it appears.
 */
export async function saveDecoder(
  folder: string,
  decoder: LoadedDecoder,
  extra?: (temporary: string) => Promise<void>,
  { onnx = true }: { onnx?: boolean | undefined } = {},
): Promise<void> {
  await writeFolderAtomic(folder, async (temporary) => {
    await copyModelSideFiles(decoder.folder, temporary);
    await writeSafetensors(join(temporary, "model.safetensors"), decoder.weights);
    if (onnx) {
      await writeOnnx(temporary, exportDecoder(decoder));
      await recordWeights(temporary);
    }
    await extra?.(temporary);
  });
}
