import type { DecoderArchitecture } from "../decoder/decoder-architecture.js";
import { parseConfig } from "../graph/config.js";
import { llamaConfigSchema } from "./llama-config.js";
import { llamaDecoder } from "./llama-decoder.js";

/** Llama-family decoders: Llama, Mistral, SmolLM2. */
export const llama: DecoderArchitecture = {
  modelTypes: ["llama", "mistral", "smollm"],
  weightPrefixes: [],
  read: (raw, folder) => llamaDecoder(parseConfig(llamaConfigSchema, raw, folder)),
};
