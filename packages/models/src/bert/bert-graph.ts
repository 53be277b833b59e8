import { add, gather, intConstant, mul, range, reshape, type Value } from "@rag-ft/onnx";
import type { EncoderInputs } from "../encoder/encoder-architecture.js";
import type { Parameters } from "../graph/parameters.js";
import { ACTIVATIONS } from "../parts/activations.js";
import { bothDirections } from "../parts/both-directions.js";
import { layoutOf } from "../parts/heads.js";
import { layerNorms } from "../parts/norms.js";
import type { BertConfig } from "./bert-config.js";

/**
 * A transformer encoder in BERT's form (Devlin et al. 2019): hidden states [batch, tokens, hidden] of the last layer. Texts are padded on the
 * right, so a token's position is its place, counted from `firstPosition`.
 */
export function bertGraph(config: BertConfig, parameters: Parameters, inputs: EncoderInputs, firstPosition = 0): Value {
  const { hidden_size: hidden, num_attention_heads: heads } = config;
  const size = hidden / heads;
  const dense = (x: Value, name: string, from: number, to: number): Value => parameters.linear(x, name, from, to);
  const norm = layerNorms(parameters, config.layer_norm_eps);

  const { ids, mask, tokenTypes, dropout } = inputs;
  const dropped = (x: Value): Value => (dropout ? mul(x, dropout.mask(x.shape)) : x);
  const layout = layoutOf(ids);
  const attend = bothDirections(layout, mask, dropout);

  // Embeddings: [batch, tokens, hidden], then all layers work on [rows = batch · tokens, hidden].
  const table = (name: string, rows: number, at: Value): Value =>
    gather(parameters.get(`embeddings.${name}_embeddings.weight`, [rows, hidden]), at);
  const words = table("word", config.vocab_size, ids);
  const places = add(range(layout.tokens, "tokens"), intConstant([firstPosition]));
  const positions = table("position", config.max_position_embeddings, places);
  const types = table("token_type", config.type_vocab_size, tokenTypes ?? intConstant([0]));
  const embedded = norm(add(add(words, types), positions), "embeddings.LayerNorm", hidden);
  let x = dropped(reshape(embedded, ["rows", hidden]));

  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    const at = `encoder.layer.${layer}`;
    const [query, key, value] = ["query", "key", "value"].map((part) =>
      layout.split(dense(x, `${at}.attention.self.${part}`, hidden, hidden), heads, size),
    ) as [Value, Value, Value];
    const merged = layout.merge(attend(query, key, value));
    const attended = dropped(dense(merged, `${at}.attention.output.dense`, hidden, hidden));
    x = norm(add(attended, x), `${at}.attention.output.LayerNorm`, hidden);
    const inner = ACTIVATIONS[config.hidden_act](
      dense(x, `${at}.intermediate.dense`, hidden, config.intermediate_size),
    );
    const outer = dropped(dense(inner, `${at}.output.dense`, config.intermediate_size, hidden));
    x = norm(add(outer, x), `${at}.output.LayerNorm`, hidden);
  }
  return layout.batched(x, hidden);
}
