import { join } from "node:path";
import { type ModelSource, writeModel } from "@rag-ft/onnx";
import { editJsonFile } from "../checkpoint/edit-json.js";
import { type RawConfig, readConfig } from "../graph/config.js";

const MODEL_FILE = "model.onnx";

/** The part of config.json that tells transformers.js which graphs keep their weights in a file beside them: one answer for all, or one a file. */
function formatOf(config: RawConfig): { settings: Record<string, unknown>; format: unknown } {
  const known = config["transformers.js_config"];
  const settings = typeof known === "object" && known !== null ? (known as Record<string, unknown>) : {};
  return { settings, format: settings.use_external_data_format };
}

/** Has config.json say of a graph whether its weights are beside it, where it says otherwise. */
export async function noteExternalData(folder: string, file: string, external: boolean): Promise<void> {
  const { format } = formatOf(await readConfig(folder));
  const files = typeof format === "object" && format !== null ? (format as Record<string, unknown>) : undefined;
  if (Boolean(files ? files[file] : format) === external) return;
  await editJsonFile(join(folder, "config.json"), (config) => {
    const others = files ?? (format ? { [MODEL_FILE]: format } : {});
    const changed = { ...others, [file]: external };
    return { ...config, "transformers.js_config": { ...formatOf(config).settings, use_external_data_format: changed } };
  });
}

/**
 * Writes `onnx/model.onnx` of a model folder that has its config.json already. Weights too large for one ONNX file go beside it, and
 * config.json then says so to transformers.js. `limit` is in bytes.
 */
export async function writeOnnx(folder: string, source: ModelSource, limit?: number): Promise<void> {
  const external = await writeModel(join(folder, "onnx", MODEL_FILE), source, limit);
  await noteExternalData(folder, MODEL_FILE, external);
}
