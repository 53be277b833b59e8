import { z } from "zod";
import { MAX_WIDTH } from "../graph/config.js";
import { activationSchema } from "../parts/activations.js";
import { checkLayerTypes, layerTypesSchema } from "../parts/layer-types.js";
import { checkRotary, layeredRopeSchema, ropeScalingSchema } from "../parts/rope-scaling.js";
import { checkGroups, complainTo, groupedFields } from "../parts/transformer-fields.js";

const none = (what: string): z.ZodOptional<z.ZodNull> =>
  z.null({ error: ({ input }) => `${JSON.stringify(input)}: ${what} is not supported, expected null` }).optional();

/** What the graph needs of Gemma 3's config (`gemma3_text`). */
export const gemma3ConfigSchema = z
  .looseObject({
    ...groupedFields,
    num_key_value_heads: z.number().int().positive().max(MAX_WIDTH).default(4),
    head_dim: z.number().int().positive().max(MAX_WIDTH).default(256),
    hidden_activation: activationSchema.default("gelu_pytorch_tanh"),
    rms_norm_eps: z.number().positive().default(1e-6),
    query_pre_attn_scalar: z.number().positive().default(256),
    attention_bias: z.boolean().default(false),
    sliding_window: z.number().int().positive().default(4096),
    sliding_window_pattern: z.number().int().positive().nullish(),
    _sliding_window_pattern: z.number().int().positive().nullish(),
    layer_types: layerTypesSchema,
    rope_theta: z.number().positive().default(1_000_000),
    rope_local_base_freq: z.number().positive().default(10_000),
    rope_scaling: ropeScalingSchema.nullish(),
    rope_parameters: layeredRopeSchema.nullish(),
    tie_word_embeddings: z.boolean().default(true),
    use_bidirectional_attention: z.boolean().nullish(),
    attn_logit_softcapping: none("a cap of attention's scores"),
    final_logit_softcapping: none("a cap of logits"),
  })
  .superRefine((config, context) => {
    const complain = complainTo(context);
    checkGroups(config, complain);
    checkRotary(config, complain);
    checkLayerTypes(config, complain);
  });

export type Gemma3Config = z.infer<typeof gemma3ConfigSchema>;
