import { z } from "zod";
import { MAX_LAYERS, MAX_POSITIONS, MAX_VOCABULARY, MAX_WIDTH, only } from "../graph/config.js";
import { activationSchema } from "../parts/activations.js";

const width = z.number().int().positive().max(MAX_WIDTH);

/** What the graph needs of a BERT config (names as in Hugging Face's `config.json`). */
export const bertConfigSchema = z
  .looseObject({
    vocab_size: z.number().int().positive().max(MAX_VOCABULARY),
    hidden_size: width,
    num_hidden_layers: z.number().int().positive().max(MAX_LAYERS),
    num_attention_heads: width,
    intermediate_size: width,
    hidden_act: activationSchema.default("gelu"),
    max_position_embeddings: z.number().int().positive().max(MAX_POSITIONS),
    type_vocab_size: z.number().int().positive().default(2),
    layer_norm_eps: z.number().positive().default(1e-12),
    position_embedding_type: only("absolute", "this kind of position (ALiBi, relative, rotary)").default("absolute"),
    is_decoder: only(false, "a causal model as an encoder").default(false),
    add_cross_attention: only(false, "cross-attention").default(false),
  })
  .refine((config) => config.hidden_size % config.num_attention_heads === 0, {
    message: "must be a multiple of num_attention_heads",
    path: ["hidden_size"],
  });

export type BertConfig = z.infer<typeof bertConfigSchema>;
