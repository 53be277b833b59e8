import { z } from "zod";
import { MAX_ROTARY_ANGLES } from "../graph/config.js";
import type { Complain } from "./transformer-fields.js";

/** Kinds of rotary positions that are computed, by `rope_type`. */
const KINDS = ["default", "linear", "dynamic", "llama3", "yarn"] as const;

const kind = z.enum(KINDS, {
  error: ({ input }) =>
    `${JSON.stringify(input)} is not supported, expected ${KINDS.slice(0, -1).join(", ")} or ${KINDS.at(-1)}`,
});

/** `rope_scaling` or, since version 5 of transformers, `rope_parameters` of a config. */
export const ropeScalingSchema = z.looseObject({
  rope_type: kind.optional(),
  type: kind.optional(),
  rope_theta: z.number().positive().optional(),
  factor: z.number().positive().optional(),
  low_freq_factor: z.number().positive().optional(),
  high_freq_factor: z.number().positive().optional(),
  original_max_position_embeddings: z.number().positive().optional(),
  attention_factor: z.number().positive().nullish(),
  beta_fast: z.number().positive().nullish(),
  beta_slow: z.number().positive().nullish(),
  mscale: z.number().nullish(),
  mscale_all_dim: z.number().nullish(),
  truncate: z.boolean().optional(),
  partial_rotary_factor: z
    .literal(1, {
      error: ({ input }) => `${JSON.stringify(input)}: turning a part of each head is not supported, expected 1`,
    })
    .optional(),
});

export type RopeScaling = z.infer<typeof ropeScalingSchema>;

/** Complains of heads that rotary positions cannot turn, and of tables that are too large. */
export function checkRotary(
  config: {
    hidden_size: number;
    num_attention_heads: number;
    head_dim?: number | null | undefined;
    max_position_embeddings: number;
  },
  complain: Complain,
): void {
  const size = config.head_dim ?? config.hidden_size / config.num_attention_heads;
  if (size % 2 !== 0) {
    complain(
      "head_dim",
      "a head's size, hidden_size / num_attention_heads where not given, must be even: rotary positions turn pairs",
    );
  }
  if (config.max_position_embeddings * size > MAX_ROTARY_ANGLES) {
    complain(
      "max_position_embeddings",
      `times the size of a head, expected at most ${MAX_ROTARY_ANGLES}: larger rotary tables are not computed`,
    );
  }
}

/** `rope_parameters` of models whose layers with a window have positions of their own. */
export const layeredRopeSchema = z.looseObject({
  full_attention: ropeScalingSchema.nullish(),
  sliding_attention: ropeScalingSchema.nullish(),
});
