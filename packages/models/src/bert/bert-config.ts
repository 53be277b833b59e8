import { z } from "zod";
import { only } from "../graph/config.js";
import { activationSchema } from "../parts/activations.js";
import { checkHeads, complainTo, transformerFields } from "../parts/transformer-fields.js";

/** What the graph needs of a BERT config (names as in Hugging Face's `config.json`). */
export const bertConfigSchema = z
  .looseObject({
    ...transformerFields,
    hidden_act: activationSchema.default("gelu"),
    type_vocab_size: z.number().int().positive().default(2),
    layer_norm_eps: z.number().positive().default(1e-12),
    position_embedding_type: only("absolute", "this kind of position (ALiBi, relative, rotary)").default("absolute"),
    is_decoder: only(false, "a causal model as an encoder").default(false),
    add_cross_attention: only(false, "cross-attention").default(false),
  })
  .superRefine((config, context) => checkHeads(config, complainTo(context)));

export type BertConfig = z.infer<typeof bertConfigSchema>;
