import { bertForm } from "../bert/bert-form.js";
import type { EncoderGraph } from "../encoder/encoder-architecture.js";
import { type PostNorm, postNormStates } from "../parts/post-norm.js";
import type { RotaryBertConfig } from "./rotary-bert-config.js";

/** What the kin of BERT with rotary positions differ in. */
export interface RotaryBertKind {
  /** Base of the positions where the config gives none. */
  theta: number;
  biases: NonNullable<PostNorm["biases"]>;
  /** Modules of the feed-forward layer. */
  feedForward: readonly ["fc1", "fc2"] | readonly ["gate_proj", "up_proj", "down_proj"];
}

/** An encoder in BERT's form with rotary positions in place of learned ones, by transformers' names of weights. */
export function rotaryBert(config: RotaryBertConfig, { theta, biases, feedForward }: RotaryBertKind): EncoderGraph {
  const { hidden_size: hidden, max_position_embeddings: positions } = config;
  const { positions: _, ...form } = bertForm(config);
  const rotary: PostNorm = {
    ...form,
    rotary: {
      theta: config.rope_parameters?.rope_theta ?? config.rope_theta ?? theta,
      scaling: config.rope_parameters ?? config.rope_scaling,
      size: hidden / form.heads,
      positions,
    },
    biases,
    names(layer) {
      const at = `layers.${layer}`;
      return {
        query: `${at}.self_attn.q_proj`,
        key: `${at}.self_attn.k_proj`,
        value: `${at}.self_attn.v_proj`,
        output: `${at}.self_attn.o_proj`,
        attentionNorm: `${at}.post_attention_layernorm`,
        feedForward: feedForward.map((name) => `${at}.mlp.${name}`) as [string, string] | [string, string, string],
        norm: `${at}.post_mlp_layernorm`,
      };
    },
  };
  return {
    dimensions: hidden,
    maxTokens: positions,
    ...postNormStates(rotary),
  };
}
