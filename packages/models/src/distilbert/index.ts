import { z } from "zod";
import { bertConfigSchema } from "../bert/bert-config.js";
import { bertForm } from "../bert/bert-form.js";
import type { EncoderArchitecture } from "../encoder/encoder-architecture.js";
import { parseConfig, type RawConfig } from "../graph/config.js";
import { type PostNorm, postNormStates } from "../parts/post-norm.js";

/** DistilBERT's names of sizes, which BERT's schema then checks. */
const distilConfigSchema = z.looseObject({
  dim: z.number(),
  n_layers: z.number(),
  n_heads: z.number(),
  hidden_dim: z.number(),
  activation: z.string().default("gelu"),
});

function named(raw: RawConfig, folder: string): RawConfig {
  const { dim, n_layers, n_heads, hidden_dim, activation } = parseConfig(distilConfigSchema, raw, folder);
  return {
    ...raw,
    hidden_size: dim,
    num_hidden_layers: n_layers,
    num_attention_heads: n_heads,
    intermediate_size: hidden_dim,
    hidden_act: activation,
  };
}

/** DistilBERT encoders (Sanh et al. 2019): BERT's form without token types. */
export const distilbert: EncoderArchitecture = {
  modelTypes: ["distilbert"],
  weightPrefixes: ["distilbert."],
  hasTokenTypes: false,
  read(raw, folder) {
    const config = parseConfig(bertConfigSchema, named(raw, folder), folder);
    const { tokenTypes: _, ...bert } = bertForm(config);
    const form: PostNorm = {
      ...bert,
      names(layer) {
        const at = `transformer.layer.${layer}`;
        return {
          query: `${at}.attention.q_lin`,
          key: `${at}.attention.k_lin`,
          value: `${at}.attention.v_lin`,
          output: `${at}.attention.out_lin`,
          attentionNorm: `${at}.sa_layer_norm`,
          feedForward: [`${at}.ffn.lin1`, `${at}.ffn.lin2`],
          norm: `${at}.output_layer_norm`,
        };
      },
    };
    return {
      dimensions: config.hidden_size,
      maxTokens: config.max_position_embeddings,
      ...postNormStates(form),
    };
  },
};
