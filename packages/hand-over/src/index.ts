import type { Stage } from "@rag-ft/core";
import { exportModel } from "./export-model.js";
import { type ExportSettings, exportSettings } from "./settings.js";

export { beir } from "./beir/stage.js";
export { convert } from "./convert/stage.js";
export { type ExportSettings, exportSettings } from "./settings.js";

/** `rag-ft export <model>`: a tuned model for other programs. */
export const exportStage: Stage<ExportSettings> = {
  name: "export",
  summary: "write a model in 8 bits for transformers.js, or as GGUF for llama.cpp and Ollama",
  settings: exportSettings,
  aliases: { model_name_or_path: "model_path" },
  positionals: ["model_path"],
  inputs: ["model_path"],
  run: exportModel,
};
