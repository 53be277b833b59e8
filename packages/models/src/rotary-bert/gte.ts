import { z } from "zod";
import type { EncoderArchitecture, EncoderGraph } from "../encoder/encoder-architecture.js";
import { only, parseConfig, type RawConfig } from "../graph/config.js";
import { renamedWeights } from "../parts/renamed-weights.js";
import { rotaryBert } from "./rotary-bert.js";
import { rotaryBertConfigSchema } from "./rotary-bert-config.js";

/** What the configs published with the makers' own code (`new`) must say, as far as they say it. */
const ownConfigSchema = z.looseObject({
  position_embedding_type: only("rope", "this kind of position").optional(),
  layer_norm_type: only("layer_norm", "this norm").optional(),
  logn_attention_scale: only(false, "attention scaled by the logarithm of the length").optional(),
  rope_scaling: z
    .looseObject({
      type: only("ntk", "this scaling of positions"),
      factor: z.number().positive(),
      mixed_b: z.null({ error: ({ input }) => `${JSON.stringify(input)}: mixed scaling is not supported` }).optional(),
    })
    .nullish(),
});

/** A config of the makers' own code in transformers' terms: their scaling (Su 2023) is of the base and of all frequencies alike. */
function named(raw: RawConfig, folder: string): RawConfig {
  if (raw.position_embedding_type === undefined && raw.model_type !== "new") return raw;
  const { rope_scaling: scaling } = parseConfig(ownConfigSchema, raw, folder);
  const { position_embedding_type: _, ...rest } = raw;
  if (!scaling) return rest;
  const size = Number(raw.hidden_size) / Number(raw.num_attention_heads);
  return {
    ...rest,
    rope_theta: Number(raw.rope_theta ?? 10_000) * scaling.factor,
    rope_scaling: { rope_type: "linear", factor: scaling.factor ** (2 / size) },
  };
}

/** GTE's encoders of 2024 (Zhang et al. 2024), gte-multilingual and gte v1.5, and Arctic Embed m v2. */
export const gte: EncoderArchitecture = {
  modelTypes: ["gte", "new"],
  weightPrefixes: ["new.", "gte."],
  hasTokenTypes: true,
  rename: (weights) =>
    renamedWeights(weights, {
      names: [
        [/\bencoder\.layer\b/, "layers"],
        [/\battention\.o_proj\b/, "self_attn.o_proj"],
        [/\battn_ln\b/, "post_attention_layernorm"],
        [/\bmlp_ln\b/, "post_mlp_layernorm"],
      ],
      fused: [
        ["attention.qkv_proj", ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"]],
        ["mlp.up_gate_proj", ["mlp.up_proj", "mlp.gate_proj"]],
      ],
    }),
  read(raw, folder): EncoderGraph {
    const config = parseConfig(rotaryBertConfigSchema, { type_vocab_size: 1, ...named(raw, folder) }, folder);
    return rotaryBert(config, {
      theta: raw.model_type === "new" ? 10_000 : 160_000,
      biases: { attention: true, feedForward: false, down: true },
      feedForward: ["gate_proj", "up_proj", "down_proj"],
    });
  },
};
