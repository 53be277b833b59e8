import {
  add,
  attention,
  cast,
  concat,
  element,
  expand,
  gather,
  gelu,
  geluTanh,
  intConstant,
  layerNorm,
  MASKED,
  mul,
  range,
  relu,
  reshape,
  shapeOf,
  sub,
  transpose,
  unsqueeze,
  type Value,
} from "@rag-ft/onnx";
import type { EncoderInputs } from "../encoder/encoder-architecture.js";
import type { Parameters } from "../graph/parameters.js";
import type { BertConfig } from "./bert-config.js";

const ACTIVATIONS = { gelu, gelu_new: geluTanh, gelu_pytorch_tanh: geluTanh, relu };

/**
 * A transformer encoder in BERT's form (Devlin et al. 2019): hidden states [batch, tokens, hidden] of the last layer. Texts are padded on the
 * right, so a token's position is its place, counted from `firstPosition`.
 */
export function bertGraph(config: BertConfig, parameters: Parameters, inputs: EncoderInputs, firstPosition = 0): Value {
  const { hidden_size: hidden, num_attention_heads: heads, layer_norm_eps: epsilon } = config;
  const size = hidden / heads;
  const weight = (name: string, shape: number[]): Value => parameters.get(name, shape);
  const dense = (x: Value, name: string, from: number, to: number): Value => parameters.linear(x, name, from, to);
  const norm = (x: Value, name: string): Value =>
    layerNorm(x, weight(`${name}.weight`, [hidden]), weight(`${name}.bias`, [hidden]), epsilon);

  const { ids, mask, tokenTypes, dropout } = inputs;
  const dropped = (x: Value): Value => (dropout ? mul(x, dropout.mask(x.shape)) : x);
  const dims = shapeOf(ids); // [batch, tokens]
  const headShape = concat([dims, intConstant([heads, size])], 0);
  const tokenCount = element(dims, 1);

  // Embeddings: [batch, tokens, hidden], then all layers work on [rows = batch · tokens, hidden].
  const words = gather(weight("embeddings.word_embeddings.weight", [config.vocab_size, hidden]), ids);
  const positions = gather(
    weight("embeddings.position_embeddings.weight", [config.max_position_embeddings, hidden]),
    add(range(tokenCount, "tokens"), intConstant([firstPosition])),
  );
  const types = gather(
    weight("embeddings.token_type_embeddings.weight", [config.type_vocab_size, hidden]),
    tokenTypes ?? intConstant([0]),
  );
  let x = dropped(reshape(norm(add(add(words, types), positions), "embeddings.LayerNorm"), ["rows", hidden]));

  // [batch, heads, tokens, 1]: 0 where there is a token, MASKED where there is padding.
  const padding = mul(sub(1, unsqueeze(cast(mask, "float32"), [1, 3])), MASKED);
  const bias = expand(padding, ["batch", heads, "tokens", 1], intConstant([1, heads, 1, 1]));
  const split = (y: Value): Value => transpose(reshape(y, ["batch", "tokens", heads, size], headShape), [0, 2, 1, 3]);

  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    const at = `encoder.layer.${layer}`;
    const [query, key, value] = ["query", "key", "value"].map((part) =>
      split(dense(x, `${at}.attention.self.${part}`, hidden, hidden)),
    ) as [Value, Value, Value];
    const unseen = dropout?.mask(["batch", heads, "tokens", "tokens"]);
    const context = attention(query, key, value, bias, unseen); // [batch, heads, tokens, size]
    const merged = reshape(transpose(context, [0, 2, 1, 3]), ["rows", hidden], [-1, hidden]);
    const attended = dropped(dense(merged, `${at}.attention.output.dense`, hidden, hidden));
    x = norm(add(attended, x), `${at}.attention.output.LayerNorm`);
    const inner = ACTIVATIONS[config.hidden_act](
      dense(x, `${at}.intermediate.dense`, hidden, config.intermediate_size),
    );
    const outer = dropped(dense(inner, `${at}.output.dense`, config.intermediate_size, hidden));
    x = norm(add(outer, x), `${at}.output.LayerNorm`);
  }
  const shape = concat([dims, intConstant([hidden])], 0);
  return reshape(x, ["batch", "tokens", hidden], shape);
}
