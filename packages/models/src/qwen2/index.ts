import type { DecoderArchitecture } from "../decoder/decoder-architecture.js";
import { parseConfig } from "../graph/config.js";
import { llamaStack } from "../llama/llama-stack.js";
import { stackDecoder } from "../parts/stack-decoder.js";
import { qwen2ConfigSchema } from "./qwen2-config.js";

/** Qwen2 and Qwen2.5 decoders (Yang et al. 2024): Llama's graph with biases on queries, keys and values. */
export const qwen2: DecoderArchitecture = {
  modelTypes: ["qwen2"],
  weightPrefixes: [],
  read(raw, folder) {
    const config = parseConfig(qwen2ConfigSchema, raw, folder);
    return stackDecoder(
      { ...llamaStack(config), biases: { queryKeyValue: true } },
      { tied: config.tie_word_embeddings },
    );
  },
};
