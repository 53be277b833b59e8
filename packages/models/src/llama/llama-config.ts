import { z } from "zod";
import { MAX_LAYERS, MAX_POSITIONS, MAX_VOCABULARY, MAX_WIDTH } from "../graph/config.js";

const width = z.number().int().positive().max(MAX_WIDTH);

const scalingSchema = z.looseObject({
  rope_type: z.string().optional(),
  type: z.string().optional(),
  rope_theta: z.number().positive().optional(),
  factor: z.number().positive().optional(),
  low_freq_factor: z.number().positive().optional(),
  high_freq_factor: z.number().positive().optional(),
  original_max_position_embeddings: z.number().positive().optional(),
});

/** What the graph needs of a Llama-family config (names as in Hugging Face's `config.json`). */
export const llamaConfigSchema = z
  .looseObject({
    vocab_size: z.number().int().positive().max(MAX_VOCABULARY),
    hidden_size: width,
    num_hidden_layers: z.number().int().positive().max(MAX_LAYERS),
    num_attention_heads: width,
    num_key_value_heads: width.nullish(),
    head_dim: width.nullish(),
    intermediate_size: width,
    hidden_act: z.enum(["silu", "gelu", "gelu_pytorch_tanh"]).default("silu"),
    max_position_embeddings: z.number().int().positive().max(MAX_POSITIONS),
    rms_norm_eps: z.number().positive().default(1e-6),
    rope_theta: z.number().positive().nullish(),
    rope_scaling: scalingSchema.nullish(),
    rope_parameters: scalingSchema.nullish(),
    tie_word_embeddings: z.boolean().default(false),
    attention_bias: z.boolean().default(false),
    mlp_bias: z.boolean().default(false),
  })
  .refine((config) => config.num_attention_heads % (config.num_key_value_heads ?? config.num_attention_heads) === 0, {
    message: "num_attention_heads must be a multiple of num_key_value_heads",
  });

export type LlamaConfig = z.infer<typeof llamaConfigSchema>;
