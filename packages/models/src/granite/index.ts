import { z } from "zod";
import type { DecoderArchitecture } from "../decoder/decoder-architecture.js";
import { parseConfig } from "../graph/config.js";
import { llamaConfigSchema } from "../llama/llama-config.js";
import { llamaStack } from "../llama/llama-stack.js";
import { stackDecoder } from "../parts/stack-decoder.js";

const multiplier = z.number().positive().default(1);

const graniteConfigSchema = llamaConfigSchema.safeExtend({
  embedding_multiplier: multiplier,
  residual_multiplier: multiplier,
  attention_multiplier: multiplier,
  logits_scaling: multiplier,
});

/** Granite's dense decoders: Llama's graph with four factors. */
export const granite: DecoderArchitecture = {
  modelTypes: ["granite"],
  weightPrefixes: [],
  read(raw, folder) {
    const config = parseConfig(graniteConfigSchema, raw, folder);
    const factors = {
      embedding: config.embedding_multiplier,
      residual: config.residual_multiplier,
      attention: config.attention_multiplier,
    };
    return stackDecoder(
      { ...llamaStack(config), factors },
      { tied: config.tie_word_embeddings, divisor: config.logits_scaling },
    );
  },
};
