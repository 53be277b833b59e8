import type { DecoderGraph } from "../decoder/decoder-architecture.js";
import type { LlamaConfig } from "./llama-config.js";
import { llamaGraph, llamaSizes } from "./llama-graph.js";

/** A decoder of Llama's form, by its checked config. */
export function llamaDecoder(config: LlamaConfig): DecoderGraph {
  const { hidden_size: hiddenSize, vocab_size: vocabularySize } = config;
  return {
    hiddenSize,
    vocabularySize,
    maxTokens: config.max_position_embeddings,
    layers: config.num_hidden_layers,
    ...llamaSizes(config),
    hiddenStates: (parameters, inputs) => llamaGraph(config, parameters, inputs),
    head: (parameters) =>
      parameters.get(config.tie_word_embeddings ? "model.embed_tokens.weight" : "lm_head.weight", [
        vocabularySize,
        hiddenSize,
      ]),
  };
}
