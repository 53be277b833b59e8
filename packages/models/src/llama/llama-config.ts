import { z } from "zod";
import { activationSchema } from "../parts/activations.js";
import { checkRotary, ropeScalingSchema } from "../parts/rope-scaling.js";
import { checkGroups, complainTo, groupedFields } from "../parts/transformer-fields.js";

/** What the graph needs of a Llama-family config (names as in Hugging Face's `config.json`). */
export const llamaConfigSchema = z
  .looseObject({
    ...groupedFields,
    hidden_act: activationSchema.default("silu"),
    sliding_window: z.number().int().positive().nullish(),
    rms_norm_eps: z.number().positive().default(1e-6),
    rope_theta: z.number().positive().nullish(),
    rope_scaling: ropeScalingSchema.nullish(),
    rope_parameters: ropeScalingSchema.nullish(),
    tie_word_embeddings: z.boolean().default(false),
    attention_bias: z.boolean().default(false),
    mlp_bias: z.boolean().default(false),
  })
  .superRefine((config, context) => {
    checkGroups(config, complainTo(context));
    checkRotary(config, complainTo(context));
  });

export type LlamaConfig = z.infer<typeof llamaConfigSchema>;
