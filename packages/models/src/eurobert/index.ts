import type { EncoderArchitecture } from "../encoder/encoder-architecture.js";
import { parseConfig } from "../graph/config.js";
import { llamaConfigSchema } from "../llama/llama-config.js";
import { llamaStack } from "../llama/llama-stack.js";
import { stackEncoder } from "../parts/stack-encoder.js";

/** EuroBERT (Boizard et al. 2025): Llama's graph with attention in both directions. */
export const eurobert: EncoderArchitecture = {
  modelTypes: ["eurobert"],
  weightPrefixes: ["model."],
  hasTokenTypes: false,
  read: (raw, folder) =>
    stackEncoder(llamaStack(parseConfig(llamaConfigSchema, raw, folder)), { bothDirections: true }),
};
