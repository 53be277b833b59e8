import { join } from "node:path";
import { type ModelSource, quantisedModel, writeModel } from "@rag-ft/onnx";
import { noteExternalData } from "./write-onnx.js";

/** What transformers.js loads for `dtype: "q8"`, its default in browsers. */
export const QUANTISED_FILE = "model_quantized.onnx";

/**
 * Writes `onnx/model_quantized.onnx` of a model folder: linear layers and the table of tokens in 8 bits. Returns its path. `limit` is in bytes, as
 * for `writeOnnx`.
 */
export async function writeQuantisedOnnx(folder: string, source: ModelSource, limit?: number): Promise<string> {
  const path = join(folder, "onnx", QUANTISED_FILE);
  await noteExternalData(folder, QUANTISED_FILE, await writeModel(path, quantisedModel(source), limit));
  return path;
}
