import { add, mul, split, type Value } from "@rag-ft/onnx";
import type { EncoderInputs } from "../encoder/encoder-architecture.js";
import type { Parameters } from "../graph/parameters.js";
import { bothDirections } from "../parts/both-directions.js";
import { fusedGate } from "../parts/gated-feed-forward.js";
import { layoutOf } from "../parts/heads.js";
import { layerNorms } from "../parts/norms.js";
import { rotaryFromZero } from "../parts/rotary-turn.js";
import { tokenRows } from "../parts/token-rows.js";
import type { ModernBertConfig } from "./modernbert-config.js";

/** Positions' base in layers with a window, where the config gives none. */
const LOCAL_THETA = 10_000;

/**
 * ModernBERT (Warner et al. 2024): hidden states [batch, tokens, hidden]. Norms come before each part, but for the first, whose input is normed
 * already; most layers see a window only and have rotary positions of their own.
 */
export function modernBertGraph(config: ModernBertConfig, parameters: Parameters, inputs: EncoderInputs): Value {
  const { hidden_size: hidden, num_attention_heads: heads, intermediate_size: inner } = config;
  const size = hidden / heads;
  const { ids, mask, dropout } = inputs;
  const dropped = (x: Value): Value => (dropout ? mul(x, dropout.mask(x.shape)) : x);
  const layout = layoutOf(ids);
  const attend = bothDirections(layout, mask, dropout);
  const norm = layerNorms(parameters, config.norm_eps, { bias: config.norm_bias });

  const { full_attention: full, sliding_attention: sliding } = config.rope_parameters ?? {};
  const turnOf = rotaryFromZero();
  const shared = { size, positions: config.max_position_embeddings };
  const global = {
    ...shared,
    theta: full?.rope_theta ?? config.global_rope_theta,
    scaling: full ?? config.rope_scaling,
  };
  const local = {
    ...shared,
    theta: sliding?.rope_theta ?? config.local_rope_theta ?? LOCAL_THETA,
    scaling: sliding ?? config.rope_scaling,
  };
  const isLocal = (layer: number): boolean =>
    config.layer_types
      ? config.layer_types[layer] === "sliding_attention"
      : layer % config.global_attn_every_n_layers !== 0;
  const reach = Math.floor(config.local_attention / 2);

  const words = tokenRows(parameters, "embeddings.tok_embeddings.weight", [config.vocab_size, hidden], ids);
  let x = dropped(norm(words, "embeddings.norm", hidden));
  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    const at = `layers.${layer}`;
    x = parameters.enterLayer(layer, x);
    const attention = { bias: config.attention_bias };
    const normal = layer === 0 ? x : norm(x, `${at}.attn_norm`, hidden);
    const together = parameters.linear(normal, `${at}.attn.Wqkv`, hidden, 3 * hidden, attention);
    const [query, key, value] = split(together, [hidden, hidden, hidden], 1).map((part) =>
      layout.split(part, heads, size),
    ) as [Value, Value, Value];
    const turn = turnOf(isLocal(layer) ? local : global);
    const context = attend(turn(query), turn(key), value, { reach: isLocal(layer) ? reach : undefined });
    x = add(x, dropped(parameters.linear(layout.merge(context), `${at}.attn.Wo`, hidden, hidden, attention)));

    const sizes = { hidden, inner, activation: config.hidden_activation, bias: config.mlp_bias };
    const product = dropped(fusedGate(parameters, norm(x, `${at}.mlp_norm`, hidden), `${at}.mlp.Wi`, sizes));
    x = add(x, parameters.linear(product, `${at}.mlp.Wo`, inner, hidden, { bias: config.mlp_bias }));
  }
  return layout.batched(norm(x, "final_norm", hidden), hidden);
}
