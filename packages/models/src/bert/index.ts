import type { EncoderArchitecture } from "../encoder/encoder-architecture.js";
import { parseConfig } from "../graph/config.js";
import { postNormStates } from "../parts/post-norm.js";
import { bertConfigSchema } from "./bert-config.js";
import { bertForm } from "./bert-form.js";

/** BERT encoders: E5, BGE, MiniLM, Contriever. */
export const bert: EncoderArchitecture = {
  modelTypes: ["bert"],
  weightPrefixes: ["bert."],
  hasTokenTypes: true,
  read(raw, folder) {
    const config = parseConfig(bertConfigSchema, raw, folder);
    return {
      dimensions: config.hidden_size,
      maxTokens: config.max_position_embeddings,
      ...postNormStates(bertForm(config)),
    };
  },
};
