import type { DecoderArchitecture } from "../decoder/decoder-architecture.js";
import { parseConfig } from "../graph/config.js";
import { llamaConfigSchema } from "./llama-config.js";
import { llamaDecoder } from "./llama-decoder.js";

/** Llama-family decoders: Llama, Mistral, SmolLM2. */
export const llama: DecoderArchitecture = {
  modelTypes: ["llama", "mistral", "smollm"],
  weightPrefixes: [],
  read(raw, folder) {
    const config = parseConfig(llamaConfigSchema, raw, folder);
    const decoder = llamaDecoder(config);
    // A sliding window shows only in texts longer than it. Training's graph attends to everything, so its texts keep within.
    const window = raw.model_type === "mistral" ? config.sliding_window : undefined;
    return window ? { ...decoder, window, maxTokens: Math.min(decoder.maxTokens, window) } : decoder;
  },
};
