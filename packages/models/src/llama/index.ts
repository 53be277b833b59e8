import type { DecoderArchitecture } from "../decoder/decoder-architecture.js";
import { parseConfig } from "../graph/config.js";
import { llamaConfigSchema } from "./llama-config.js";
import { llamaGraph, llamaSizes } from "./llama-graph.js";

/** Llama-family decoders: Llama, Mistral, SmolLM2. */
export const llama: DecoderArchitecture = {
  modelTypes: ["llama", "mistral", "smollm"],
  weightPrefixes: [],
  read(raw, folder) {
    const config = parseConfig(llamaConfigSchema, raw, folder);
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
  },
};
