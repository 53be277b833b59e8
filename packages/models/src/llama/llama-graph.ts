import {
  add,
  cachedAttention,
  causalAttention,
  causalBlocks,
  concat,
  constant,
  element,
  gated,
  gather,
  gelu,
  geluTanh,
  intConstant,
  reshape,
  rmsNorm,
  rotary,
  shapeOf,
  silu,
  transpose,
  type Value,
} from "@rag-ft/onnx";
import type { DecoderInputs, DecoderOutputs } from "../decoder/decoder-architecture.js";
import type { Parameters } from "../graph/parameters.js";
import type { LlamaConfig } from "./llama-config.js";
import { rotaryTables } from "./rope.js";

const ACTIVATIONS = { silu, gelu, gelu_pytorch_tanh: geluTanh };

export interface LlamaSizes {
  headSize: number;
  keyValueHeads: number;
}

export function llamaSizes(config: LlamaConfig): LlamaSizes {
  return {
    headSize: config.head_dim ?? config.hidden_size / config.num_attention_heads,
    keyValueHeads: config.num_key_value_heads ?? config.num_attention_heads,
  };
}

/**
 * A decoder in Llama's form (Touvron et al. 2023): RMSNorm before each part, rotary positions, grouped-query attention
 * (Ainslie et al. 2023), gated feed-forward (Shazeer 2020).
 */
export function llamaGraph(config: LlamaConfig, parameters: Parameters, inputs: DecoderInputs): DecoderOutputs {
  const { hidden_size: hidden, num_attention_heads: heads, intermediate_size: inner, rms_norm_eps: epsilon } = config;
  const outputBias = config.attention_output_bias ?? config.attention_bias;
  const { headSize: size, keyValueHeads: groups } = llamaSizes(config);
  const { ids, positions, cache } = inputs;
  const weight = (name: string, shape: number[]): Value => parameters.get(name, shape);
  const norm = (x: Value, name: string): Value => rmsNorm(x, weight(`${name}.weight`, [hidden]), epsilon);
  const project = (x: Value, name: string, from: number, to: number, bias: boolean): Value =>
    parameters.linear(x, name, from, to, { bias });

  const tables = rotaryTables(config, size, config.max_position_embeddings);
  const tableShape = [config.max_position_embeddings, size / 2];
  const cosine = constant(tables.cosine, tableShape);
  const sine = constant(tables.sine, tableShape);
  const turn = (x: Value): Value => rotary(x, positions, cosine, sine);

  const dims = shapeOf(ids); // [batch, tokens]
  const splitHeads = (x: Value, count: number): Value =>
    transpose(
      reshape(x, ["batch", "tokens", count, size], concat([dims, intConstant([count, size])], 0)),
      [0, 2, 1, 3],
    );
  const blocks = causalBlocks(element(dims, 1));
  const present: (readonly [Value, Value])[] = [];

  let x = reshape(
    gather(weight("model.embed_tokens.weight", [config.vocab_size, hidden]), ids),
    ["rows", hidden],
    [-1, hidden],
  );
  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    const at = `model.layers.${layer}`;
    const normal = norm(x, `${at}.input_layernorm`);
    const projectHeads = (part: string, count: number): Value =>
      splitHeads(project(normal, `${at}.self_attn.${part}_proj`, hidden, count * size, config.attention_bias), count);
    const query = turn(projectHeads("q", heads));
    let key = turn(projectHeads("k", groups));
    let value = projectHeads("v", groups);
    const earlier = cache?.past[layer];
    if (earlier) {
      key = concat([earlier[0], key], 2, "keys");
      value = concat([earlier[1], value], 2, "keys");
    }
    present.push([key, value]);

    const context = cache ? cachedAttention(query, key, value, cache.bias) : causalAttention(query, key, value, blocks);
    const merged = reshape(transpose(context, [0, 2, 1, 3]), ["rows", heads * size], [-1, heads * size]);
    x = add(x, project(merged, `${at}.self_attn.o_proj`, heads * size, hidden, outputBias));

    const fed = norm(x, `${at}.post_attention_layernorm`);
    const gate = ACTIVATIONS[config.hidden_act](project(fed, `${at}.mlp.gate_proj`, hidden, inner, config.mlp_bias));
    const up = project(fed, `${at}.mlp.up_proj`, hidden, inner, config.mlp_bias);
    x = add(x, project(gated(gate, up), `${at}.mlp.down_proj`, inner, hidden, config.mlp_bias));
  }
  return { hidden: norm(x, "model.norm"), present };
}
