import type { DecoderArchitecture } from "../decoder/decoder-architecture.js";
import type { EncoderArchitecture } from "../encoder/encoder-architecture.js";
import { parseConfig } from "../graph/config.js";
import { llamaStack } from "../llama/llama-stack.js";
import type { Stack } from "../parts/stack.js";
import { stackDecoder } from "../parts/stack-decoder.js";
import { stackEncoder } from "../parts/stack-encoder.js";
import { type Qwen3Config, qwen3ConfigSchema } from "./qwen3-config.js";

/** Llama's graph with an RMSNorm of each query and key. */
export function qwen3Stack(config: Qwen3Config): Stack {
  const window = config.use_sliding_window ? (config.sliding_window ?? undefined) : undefined;
  const isSliding = (layer: number): boolean =>
    config.layer_types ? config.layer_types[layer] === "sliding_attention" : layer >= config.max_window_layers;
  return {
    ...llamaStack(config),
    queryKeyNorm: true,
    window: (layer) => (isSliding(layer) ? window : undefined),
    biases: { queryKeyValue: config.attention_bias, output: config.attention_bias },
  };
}

/** Qwen3 decoders (Yang et al. 2025). */
export const qwen3: DecoderArchitecture = {
  modelTypes: ["qwen3"],
  weightPrefixes: [],
  read(raw, folder) {
    const config = parseConfig(qwen3ConfigSchema, raw, folder);
    return stackDecoder(qwen3Stack(config), { tied: config.tie_word_embeddings });
  },
};

/** Qwen3-Embedding (Zhang et al. 2025): the decoder without its head; attention stays causal, so the last token has seen the whole text. */
export const qwen3Encoder: EncoderArchitecture = {
  modelTypes: qwen3.modelTypes,
  weightPrefixes: ["model."],
  hasTokenTypes: false,
  defaultPooling: "lasttoken",
  read: (raw, folder) =>
    stackEncoder(qwen3Stack(parseConfig(qwen3ConfigSchema, raw, folder)), { bothDirections: false }),
};
