import { bertForm } from "../bert/bert-form.js";
import type { EncoderArchitecture } from "../encoder/encoder-architecture.js";
import { parseConfig } from "../graph/config.js";
import { type PostNorm, postNormStates } from "../parts/post-norm.js";
import { relativeBias } from "../parts/relative-bias.js";
import { type MpnetConfig, mpnetConfigSchema } from "./mpnet-config.js";

/** Positions are counted from here, whatever the padding's id. */
const FIRST_POSITION = 2;

/** BERT's form with learned biases by relative position, the same in all layers, and without token types. */
function mpnetForm(config: MpnetConfig): PostNorm {
  const { tokenTypes: _, ...form } = bertForm(config, FIRST_POSITION);
  const table = "encoder.relative_attention_bias.weight";
  return {
    ...form,
    bias: (parameters, layout, queries) =>
      relativeBias(parameters, { layout, queries, name: table, heads: form.heads }),
    names(layer) {
      const at = `encoder.layer.${layer}`;
      return {
        ...form.names(layer),
        query: `${at}.attention.attn.q`,
        key: `${at}.attention.attn.k`,
        value: `${at}.attention.attn.v`,
        output: `${at}.attention.attn.o`,
        attentionNorm: `${at}.attention.LayerNorm`,
      };
    },
  };
}

/** MPNet encoders (Song et al. 2020): all-mpnet-base-v2. */
export const mpnet: EncoderArchitecture = {
  modelTypes: ["mpnet"],
  weightPrefixes: ["mpnet."],
  hasTokenTypes: false,
  read(raw, folder) {
    const config = parseConfig(mpnetConfigSchema, raw, folder);
    const form = mpnetForm(config);
    return {
      dimensions: config.hidden_size,
      maxTokens: config.max_position_embeddings - FIRST_POSITION,
      ...postNormStates(form),
    };
  },
};
