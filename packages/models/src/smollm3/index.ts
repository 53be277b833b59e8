import { z } from "zod";
import type { DecoderArchitecture } from "../decoder/decoder-architecture.js";
import { only, parseConfig } from "../graph/config.js";
import { llamaConfigSchema } from "../llama/llama-config.js";
import { llamaStack } from "../llama/llama-stack.js";
import { stackDecoder } from "../parts/stack-decoder.js";

/** Llama's config, and which layers know no positions: those that `no_rope_layers` gives 0, or every fourth. */
const smollm3ConfigSchema = llamaConfigSchema.safeExtend({
  rope_theta: z.number().positive().default(2_000_000),
  tie_word_embeddings: z.boolean().default(true),
  no_rope_layers: z.array(z.union([z.literal(0), z.literal(1)])).nullish(),
  no_rope_layer_interval: z.number().int().positive().default(4),
  use_sliding_window: only(false, "attention over a sliding window").default(false),
  layer_types: z.array(only("full_attention", "this attention")).nullish(),
});

/** SmolLM3 decoders (Bakouch et al. 2025): Llama's graph, some layers of it without positions (Yang et al. 2025, RNoPE). */
export const smollm3: DecoderArchitecture = {
  modelTypes: ["smollm3"],
  weightPrefixes: [],
  read(raw, folder) {
    const config = parseConfig(smollm3ConfigSchema, raw, folder);
    const stack = llamaStack(config);
    const { no_rope_layers: listed, no_rope_layer_interval: interval } = config;
    const turns = (layer: number): boolean => (listed ? listed[layer] === 1 : (layer + 1) % interval !== 0);
    return stackDecoder(
      { ...stack, rotary: (layer) => (turns(layer) ? stack.rotary(layer) : undefined) },
      { tied: config.tie_word_embeddings },
    );
  },
};
