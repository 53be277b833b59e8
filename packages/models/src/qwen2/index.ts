import type { DecoderArchitecture } from "../decoder/decoder-architecture.js";
import { parseConfig } from "../graph/config.js";
import { llamaDecoder } from "../llama/llama-decoder.js";
import { qwen2ConfigSchema } from "./qwen2-config.js";

/** Qwen2 and Qwen2.5 decoders (Yang et al. 2024): Llama's graph with biases on queries, keys and values. */
export const qwen2: DecoderArchitecture = {
  modelTypes: ["qwen2"],
  weightPrefixes: [],
  read: (raw, folder) => llamaDecoder(parseConfig(qwen2ConfigSchema, raw, folder)),
};
