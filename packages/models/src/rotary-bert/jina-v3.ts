import type { EncoderArchitecture } from "../encoder/encoder-architecture.js";
import { parseConfig } from "../graph/config.js";
import { renamedWeights } from "../parts/renamed-weights.js";
import { rotaryBert } from "./rotary-bert.js";
import { rotaryBertConfigSchema } from "./rotary-bert-config.js";

/** Jina Embeddings v3 (Sturua et al. 2024) without the adapters of its tasks, in the form that transformers has it. */
export const jinaV3: EncoderArchitecture = {
  modelTypes: ["jina_embeddings_v3"],
  weightPrefixes: ["roberta."],
  hasTokenTypes: false,
  rename: (weights) =>
    renamedWeights(weights, {
      names: [
        [/\bencoder\.layers\b/, "layers"],
        [/\bemb_ln\b/, "embeddings.LayerNorm"],
        [/\bmixer\.out_proj\b/, "self_attn.o_proj"],
        [/\bnorm1\b/, "post_attention_layernorm"],
        [/\bnorm2\b/, "post_mlp_layernorm"],
      ],
      fused: [["mixer.Wqkv", ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"]]],
    }),
  read(raw, folder) {
    const config = parseConfig(rotaryBertConfigSchema, { type_vocab_size: 1, layer_norm_eps: 1e-5, ...raw }, folder);
    return rotaryBert(config, { theta: 20_000, biases: {}, feedForward: ["fc1", "fc2"] });
  },
};
