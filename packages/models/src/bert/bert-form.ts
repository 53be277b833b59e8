import type { PostNorm } from "../parts/post-norm.js";
import type { BertConfig } from "./bert-config.js";

/** A config of BERT's kind as a transformer of its form; positions are counted from `first`. */
export function bertForm(config: BertConfig, first = 0): PostNorm {
  return {
    vocabulary: config.vocab_size,
    hidden: config.hidden_size,
    layers: config.num_hidden_layers,
    heads: config.num_attention_heads,
    inner: config.intermediate_size,
    activation: config.hidden_act,
    epsilon: config.layer_norm_eps,
    positions: { rows: config.max_position_embeddings, first },
    tokenTypes: config.type_vocab_size,
    names(layer) {
      const at = `encoder.layer.${layer}`;
      return {
        query: `${at}.attention.self.query`,
        key: `${at}.attention.self.key`,
        value: `${at}.attention.self.value`,
        output: `${at}.attention.output.dense`,
        attentionNorm: `${at}.attention.output.LayerNorm`,
        feedForward: [`${at}.intermediate.dense`, `${at}.output.dense`],
        norm: `${at}.output.LayerNorm`,
      };
    },
  };
}
