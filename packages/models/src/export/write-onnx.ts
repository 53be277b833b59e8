import { join } from "node:path";
import { type ModelSource, writeModel } from "@rag-ft/onnx";
import { editJsonFile } from "../checkpoint/edit-json.js";

/**
 * Writes `onnx/model.onnx` of a model folder that has its config.json already. Weights too large for one ONNX file go beside it, and
 * config.json then says so to transformers.js. `limit` is in bytes.
 */
export async function writeOnnx(folder: string, source: ModelSource, limit?: number): Promise<void> {
  const external = await writeModel(join(folder, "onnx", "model.onnx"), source, limit);
  if (!external) return;
  await editJsonFile(join(folder, "config.json"), (config) => {
    const known = typeof config["transformers.js_config"] === "object" ? config["transformers.js_config"] : {};
    return { ...config, "transformers.js_config": { ...known, use_external_data_format: true } };
  });
}
