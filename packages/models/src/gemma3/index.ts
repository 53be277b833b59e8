import type { DecoderArchitecture } from "../decoder/decoder-architecture.js";
import type { EncoderArchitecture } from "../encoder/encoder-architecture.js";
import { parseConfig } from "../graph/config.js";
import type { Stack } from "../parts/stack.js";
import { stackDecoder } from "../parts/stack-decoder.js";
import { stackEncoder } from "../parts/stack-encoder.js";
import { type Gemma3Config, gemma3ConfigSchema } from "./gemma3-config.js";

/** Layers with a window to one without, where the config does not list them. */
const PATTERN = 6;

export function gemma3Stack(config: Gemma3Config): Stack {
  const { head_dim: size, max_position_embeddings: positions, layer_types: types } = config;
  const pattern = config.sliding_window_pattern ?? config._sliding_window_pattern ?? PATTERN;
  const isSliding = (layer: number): boolean =>
    types ? types[layer] === "sliding_attention" : (layer + 1) % pattern !== 0;
  const { full_attention: full, sliding_attention: sliding } = config.rope_parameters ?? {};
  const scaling = full ?? config.rope_scaling;
  const global = { theta: full?.rope_theta ?? config.rope_theta, scaling, size, positions };
  const local = { theta: sliding?.rope_theta ?? config.rope_local_base_freq, scaling: sliding, size, positions };
  // In both directions the window is cut in halves.
  const window = config.use_bidirectional_attention ? Math.floor(config.sliding_window / 2) + 1 : config.sliding_window;
  return {
    vocabulary: config.vocab_size,
    hidden: config.hidden_size,
    layers: config.num_hidden_layers,
    heads: config.num_attention_heads,
    groups: config.num_key_value_heads,
    size,
    inner: config.intermediate_size,
    activation: config.hidden_activation,
    epsilon: config.rms_norm_eps,
    positions,
    rotary: (layer) => (isSliding(layer) ? local : global),
    window: (layer) => (isSliding(layer) ? window : undefined),
    biases: { queryKeyValue: config.attention_bias, output: config.attention_bias },
    queryKeyNorm: true,
    normsOnePlus: true,
    normsAfter: true,
    factors: { embedding: Math.sqrt(config.hidden_size), attention: 1 / Math.sqrt(config.query_pre_attn_scalar) },
  };
}

/** Gemma 3's text decoders (Gemma Team 2025). */
export const gemma3: DecoderArchitecture = {
  modelTypes: ["gemma3_text"],
  weightPrefixes: [],
  read(raw, folder) {
    const config = parseConfig(gemma3ConfigSchema, raw, folder);
    return stackDecoder(gemma3Stack(config), { tied: config.tie_word_embeddings });
  },
};

/** EmbeddingGemma (Vera et al. 2025): Gemma 3 without its head, in both directions where the config says so. */
export const gemma3Encoder: EncoderArchitecture = {
  modelTypes: gemma3.modelTypes,
  weightPrefixes: ["model."],
  hasTokenTypes: false,
  read(raw, folder) {
    const config = parseConfig(gemma3ConfigSchema, raw, folder);
    return stackEncoder(gemma3Stack(config), { bothDirections: config.use_bidirectional_attention === true });
  },
};
