import { z } from "zod";
import { only } from "../graph/config.js";
import { llamaConfigSchema } from "../llama/llama-config.js";

/** Qwen2's config: Llama's, with all attention full. */
export const qwen2ConfigSchema = llamaConfigSchema.safeExtend({
  use_sliding_window: only(false, "attention over a sliding window").default(false),
  layer_types: z.array(only("full_attention", "this attention")).nullish(),
});
