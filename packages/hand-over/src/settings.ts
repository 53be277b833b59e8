import { listOf } from "@rag-ft/core";
import { z } from "zod";

/** Forms that a model can be written in. */
export const FORMS = ["q8", "gguf-f16", "gguf-q8_0"] as const;

/** What a model is for. */
export const USES = ["auto", "encoder", "generator", "reranker"] as const;

/** Settings of `export`. */
export const exportSettings = z.object({
  model_path: z.string().min(1).describe("the model: a folder, or an id of the hub"),
  to: listOf(z.enum(FORMS), 1).describe(
    "forms, separated by commas: q8 (onnx/model_quantized.onnx, for transformers.js), gguf-f16 and gguf-q8_0 (for llama.cpp)",
  ),
  output: z.string().min(1).optional().describe("folder that they go to (default: the model's own)"),
  use: z.enum(USES).default("auto").describe("what the model is for; auto: as its files say"),
});

export type ExportSettings = z.infer<typeof exportSettings>;
