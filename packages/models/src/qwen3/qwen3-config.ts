import { z } from "zod";
import { llamaConfigSchema } from "../llama/llama-config.js";
import { checkLayerTypes, layerTypesSchema } from "../parts/layer-types.js";
import { complainTo } from "../parts/transformer-fields.js";

/** Qwen3's config: Llama's, with the size of a head given, and windows if `use_sliding_window` says so. */
export const qwen3ConfigSchema = llamaConfigSchema
  .safeExtend({
    head_dim: z.number().int().positive().default(128),
    use_sliding_window: z.boolean().default(false),
    max_window_layers: z.number().int().nonnegative().default(28),
    layer_types: layerTypesSchema,
  })
  .superRefine((config, context) => checkLayerTypes(config, complainTo(context)));

export type Qwen3Config = z.infer<typeof qwen3ConfigSchema>;
