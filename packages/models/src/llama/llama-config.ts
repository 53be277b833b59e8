import { z } from "zod";
import { MAX_LAYERS, MAX_POSITIONS, MAX_ROTARY_ANGLES, MAX_VOCABULARY, MAX_WIDTH } from "../graph/config.js";

const width = z.number().int().positive().max(MAX_WIDTH);

const scalingKind = z.enum(["default", "linear", "llama3"], {
  error: ({ input }) => `${JSON.stringify(input)} is not supported, expected default, linear or llama3`,
});

const scalingSchema = z.looseObject({
  rope_type: scalingKind.optional(),
  type: scalingKind.optional(),
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
    sliding_window: z.number().int().positive().nullish(),
    rms_norm_eps: z.number().positive().default(1e-6),
    rope_theta: z.number().positive().nullish(),
    rope_scaling: scalingSchema.nullish(),
    rope_parameters: scalingSchema.nullish(),
    tie_word_embeddings: z.boolean().default(false),
    attention_bias: z.boolean().default(false),
    mlp_bias: z.boolean().default(false),
  })
  .refine((config) => config.num_attention_heads % (config.num_key_value_heads ?? config.num_attention_heads) === 0, {
    message: "must be a multiple of num_key_value_heads",
    path: ["num_attention_heads"],
  })
  .refine((config) => (config.head_dim ?? config.hidden_size / config.num_attention_heads) % 2 === 0, {
    message:
      "a head's size, hidden_size / num_attention_heads where not given, must be even: rotary positions turn pairs",
    path: ["head_dim"],
  })
  .refine(
    ({ max_position_embeddings: positions, head_dim: size, hidden_size: hidden, num_attention_heads: heads }) =>
      positions * (size ?? hidden / heads) <= MAX_ROTARY_ANGLES,
    {
      message: `times the size of a head, expected at most ${MAX_ROTARY_ANGLES}: larger rotary tables are not computed`,
      path: ["max_position_embeddings"],
    },
  );

export interface LlamaConfig extends z.infer<typeof llamaConfigSchema> {
  /** Whether the attention's output has a bias, where that differs from `attention_bias`. */
  attention_output_bias?: boolean;
}
