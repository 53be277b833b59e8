import type { BertConfig } from "../bert/bert-config.js";
import type { GgufValue } from "./gguf-file.js";
import type { GgufForm } from "./gguf-form.js";
import type { Refuse } from "./stack-form.js";

const MODULES: Readonly<Record<string, string>> = {
  "attention.self.query": "attn_q",
  "attention.self.key": "attn_k",
  "attention.self.value": "attn_v",
  "attention.output.dense": "attn_output",
  "attention.output.LayerNorm": "attn_output_norm",
  "intermediate.dense": "ffn_up",
  "output.dense": "ffn_down",
  "output.LayerNorm": "layer_output_norm",
};

const TOP: Readonly<Record<string, string>> = {
  "embeddings.word_embeddings.weight": "token_embd.weight",
  "embeddings.position_embeddings.weight": "position_embd.weight",
  "embeddings.token_type_embeddings.weight": "token_types.weight",
  "embeddings.LayerNorm.weight": "token_embd_norm.weight",
  "embeddings.LayerNorm.bias": "token_embd_norm.bias",
};

/** BERT as GGUF has it. llama.cpp computes its GELU by the tanh formula, whichever the config names. */
export function bertGgufForm(config: BertConfig, refuse: Refuse): GgufForm {
  if (!config.hidden_act.startsWith("gelu")) refuse(`hidden_act ${config.hidden_act}`, "gelu");
  const u32 = (key: string, value: number): [string, GgufValue] => [key, { u32: value }];
  return {
    architecture: "bert",
    metadata: [
      u32("context_length", config.max_position_embeddings),
      u32("embedding_length", config.hidden_size),
      u32("block_count", config.num_hidden_layers),
      u32("feed_forward_length", config.intermediate_size),
      u32("attention.head_count", config.num_attention_heads),
      ["attention.layer_norm_epsilon", { f32: config.layer_norm_eps }],
      ["attention.causal", { bool: false }],
    ],
    nameOf(weight) {
      const match = /^encoder\.layer\.(\d+)\.(.+)\.(weight|bias)$/.exec(weight);
      if (!match) return TOP[weight];
      const name = MODULES[match[2] as string];
      return name === undefined ? undefined : `blk.${match[1]}.${name}.${match[3]}`;
    },
  };
}
