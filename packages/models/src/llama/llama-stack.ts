import type { Stack } from "../parts/stack.js";
import type { LlamaConfig } from "./llama-config.js";

/** A config of Llama's kind as a stack. */
export function llamaStack(config: LlamaConfig): Stack {
  const heads = config.num_attention_heads;
  const size = config.head_dim ?? config.hidden_size / heads;
  const scaling = config.rope_parameters ?? config.rope_scaling;
  const theta = config.rope_parameters?.rope_theta ?? config.rope_theta ?? 10_000;
  const positions = config.max_position_embeddings;
  return {
    vocabulary: config.vocab_size,
    hidden: config.hidden_size,
    layers: config.num_hidden_layers,
    heads,
    groups: config.num_key_value_heads ?? heads,
    size,
    inner: config.intermediate_size,
    activation: config.hidden_act,
    epsilon: config.rms_norm_eps,
    positions,
    rotary: () => ({ theta, scaling, size, positions }),
    biases: { queryKeyValue: config.attention_bias, output: config.attention_bias, feedForward: config.mlp_bias },
  };
}
