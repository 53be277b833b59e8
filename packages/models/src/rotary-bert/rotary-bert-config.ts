import { z } from "zod";
import { bertConfigSchema } from "../bert/bert-config.js";
import { checkRotary, ropeScalingSchema } from "../parts/rope-scaling.js";
import { complainTo } from "../parts/transformer-fields.js";

/** BERT's config with rotary positions. */
export const rotaryBertConfigSchema = bertConfigSchema
  .safeExtend({
    type_vocab_size: z.number().int().nonnegative().default(2),
    rope_theta: z.number().positive().nullish(),
    rope_scaling: ropeScalingSchema.nullish(),
    rope_parameters: ropeScalingSchema.nullish(),
  })
  .superRefine((config, context) => checkRotary(config, complainTo(context)));

export type RotaryBertConfig = z.infer<typeof rotaryBertConfigSchema>;
