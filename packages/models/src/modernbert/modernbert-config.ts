import { z } from "zod";
import { activationSchema } from "../parts/activations.js";
import { checkLayerTypes, layerTypesSchema } from "../parts/layer-types.js";
import { checkRotary, layeredRopeSchema, ropeScalingSchema } from "../parts/rope-scaling.js";
import { checkHeads, complainTo, transformerFields } from "../parts/transformer-fields.js";

/** What the graph needs of a ModernBERT config. */
export const modernBertConfigSchema = z
  .looseObject({
    ...transformerFields,
    hidden_activation: activationSchema.default("gelu"),
    norm_eps: z.number().positive().default(1e-5),
    norm_bias: z.boolean().default(false),
    attention_bias: z.boolean().default(false),
    mlp_bias: z.boolean().default(false),
    local_attention: z.number().int().positive().default(128),
    global_attn_every_n_layers: z.number().int().positive().default(3),
    layer_types: layerTypesSchema,
    global_rope_theta: z.number().positive().default(160_000),
    local_rope_theta: z.number().positive().nullish(),
    rope_scaling: ropeScalingSchema.nullish(),
    rope_parameters: layeredRopeSchema.nullish(),
  })
  .superRefine((config, context) => {
    const complain = complainTo(context);
    checkHeads(config, complain);
    checkRotary(config, complain);
    checkLayerTypes({ ...config, sliding_window: config.local_attention }, complain);
  });

export type ModernBertConfig = z.infer<typeof modernBertConfigSchema>;
