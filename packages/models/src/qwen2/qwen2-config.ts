import { z } from "zod";
import { only } from "../graph/config.js";
import { type LlamaConfig, llamaConfigSchema } from "../llama/llama-config.js";

/** Qwen2's config in Llama's terms: queries, keys and values have biases, nothing else has. */
export const qwen2ConfigSchema = llamaConfigSchema
  .safeExtend({
    use_sliding_window: only(false, "attention over a sliding window").default(false),
    layer_types: z.array(only("full_attention", "this attention")).nullish(),
  })
  .transform(
    (config): LlamaConfig => ({ ...config, attention_bias: true, attention_output_bias: false, mlp_bias: false }),
  );
