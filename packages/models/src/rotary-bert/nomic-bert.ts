import { z } from "zod";
import type { EncoderArchitecture } from "../encoder/encoder-architecture.js";
import { only, parseConfig, type RawConfig } from "../graph/config.js";
import { renamedWeights } from "../parts/renamed-weights.js";
import { rotaryBert } from "./rotary-bert.js";
import { rotaryBertConfigSchema } from "./rotary-bert-config.js";

/** What the configs published with nomic's own code must say, as far as they say it. */
const ownConfigSchema = z.looseObject({
  activation_function: only("swiglu", "this activation").optional(),
  prenorm: only(false, "norms before each part").optional(),
  parallel_block: only(false, "attention and feed-forward side by side").optional(),
  use_rms_norm: only(false, "RMSNorm").nullish(),
  qkv_proj_bias: only(false, "a bias of queries, keys and values").optional(),
  mlp_fc1_bias: only(false, "a bias of the feed-forward layer").optional(),
  mlp_fc2_bias: only(false, "a bias of the feed-forward layer").optional(),
  rotary_emb_interleaved: only(false, "this order of rotary positions").optional(),
  causal: only(false, "causal attention").optional(),
  rotary_emb_fraction: z
    .literal(1, { error: ({ input }) => `${JSON.stringify(input)}: turning a part of each head is not supported` })
    .optional(),
  rotary_scaling_factor: z.number().positive().nullish(),
  max_trained_positions: z.number().int().positive().default(2048),
  num_experts: z
    .literal(0, { error: ({ input }) => `${JSON.stringify(input)}: a mixture of experts is not supported, expected 0` })
    .optional(),
});

/** A config published with nomic's own code, in transformers' names. */
function named(raw: RawConfig, folder: string): RawConfig {
  const own = parseConfig(ownConfigSchema, raw, folder);
  if (raw.n_embd === undefined) return raw;
  return {
    ...raw,
    hidden_size: raw.n_embd,
    num_hidden_layers: raw.n_layer,
    num_attention_heads: raw.n_head,
    intermediate_size: raw.n_inner,
    // Where positions are scaled, they are so in texts longer than those of pretraining.
    max_position_embeddings: own.rotary_scaling_factor ? own.max_trained_positions : raw.n_positions,
    layer_norm_eps: raw.layer_norm_epsilon,
    rope_theta: raw.rotary_emb_base,
    hidden_act: "silu",
  };
}

/** Nomic Embed v1 and v1.5 (Nussbaum et al. 2024). */
export const nomicBert: EncoderArchitecture = {
  modelTypes: ["nomic_bert"],
  weightPrefixes: ["nomic_bert."],
  hasTokenTypes: true,
  rename: (weights) =>
    renamedWeights(weights, {
      names: [
        [/\bencoder\.layers\b/, "layers"],
        [/\bemb_ln\b/, "embeddings.LayerNorm"],
        [/\battn\.out_proj\b/, "self_attn.o_proj"],
        [/\bfc11\b/, "up_proj"],
        [/\bfc12\b/, "gate_proj"],
        [/\bfc2\b/, "down_proj"],
        [/\bnorm1\b/, "post_attention_layernorm"],
        [/\bnorm2\b/, "post_mlp_layernorm"],
      ],
      fused: [["attn.Wqkv", ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"]]],
    }),
  read(raw, folder) {
    const config = parseConfig(rotaryBertConfigSchema, { hidden_act: "silu", ...named(raw, folder) }, folder);
    return rotaryBert(config, {
      theta: 1000,
      biases: { attention: false, feedForward: false },
      feedForward: ["gate_proj", "up_proj", "down_proj"],
    });
  },
};
