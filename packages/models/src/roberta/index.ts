import { bertForm } from "../bert/bert-form.js";
import type { EncoderArchitecture } from "../encoder/encoder-architecture.js";
import { parseConfig } from "../graph/config.js";
import { postNormStates } from "../parts/post-norm.js";
import { robertaConfigSchema } from "./roberta-config.js";

/**
 * RoBERTa encoders (Liu et al. 2019) and XLM-RoBERTa (Conneau et al. 2020): multilingual E5, BGE-M3, all-distilroberta. BERT's graph, but the first
 * token stands at position pad_token_id + 1, and there are no token types to choose from.
 */
export const roberta: EncoderArchitecture = {
  modelTypes: ["roberta", "xlm-roberta"],
  weightPrefixes: ["roberta."],
  hasTokenTypes: false,
  read(raw, folder) {
    const config = parseConfig(robertaConfigSchema, raw, folder);
    const firstPosition = config.pad_token_id + 1;
    return {
      dimensions: config.hidden_size,
      maxTokens: config.max_position_embeddings - firstPosition,
      ...postNormStates(bertForm(config, firstPosition)),
    };
  },
};
