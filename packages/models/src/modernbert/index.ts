import type { EncoderArchitecture } from "../encoder/encoder-architecture.js";
import { parseConfig } from "../graph/config.js";
import { modernBertConfigSchema } from "./modernbert-config.js";
import { modernBertGraph } from "./modernbert-graph.js";

/** ModernBERT encoders: gte-modernbert, modernbert-embed, Granite Embedding R2, mmBERT, Ettin. */
export const modernBert: EncoderArchitecture = {
  modelTypes: ["modernbert"],
  weightPrefixes: ["model."],
  hasTokenTypes: false,
  read(raw, folder) {
    const config = parseConfig(modernBertConfigSchema, raw, folder);
    return {
      dimensions: config.hidden_size,
      maxTokens: config.max_position_embeddings,
      hiddenStates: (parameters, inputs) => modernBertGraph(config, parameters, inputs),
    };
  },
};
