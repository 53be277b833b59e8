import type { DecoderArchitecture } from "../decoder/decoder-architecture.js";
import { parseConfig } from "../graph/config.js";
import { stackDecoder } from "../parts/stack-decoder.js";
import { llamaConfigSchema } from "./llama-config.js";
import { llamaStack } from "./llama-stack.js";

/** Llama-family decoders: Llama, Mistral, SmolLM2. */
export const llama: DecoderArchitecture = {
  modelTypes: ["llama", "mistral", "smollm"],
  weightPrefixes: [],
  read(raw, folder) {
    const config = parseConfig(llamaConfigSchema, raw, folder);
    const window = raw.model_type === "mistral" ? (config.sliding_window ?? undefined) : undefined;
    const decoder = stackDecoder({ ...llamaStack(config), window: () => window }, { tied: config.tie_word_embeddings });
    // What is trained stays within the window.
    return window ? { ...decoder, maxTokens: Math.min(decoder.maxTokens, window) } : decoder;
  },
};
