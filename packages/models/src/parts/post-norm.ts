import { add, gather, intConstant, mul, range, reshape, type Value } from "@rag-ft/onnx";
import type { EncoderInputs } from "../encoder/encoder-architecture.js";
import type { Parameters } from "../graph/parameters.js";
import { ACTIVATIONS, type Activation } from "./activations.js";
import { bothDirections } from "./both-directions.js";
import { gatedFeedForward } from "./gated-feed-forward.js";
import { type Layout, layoutOf } from "./heads.js";
import { layerNorms } from "./norms.js";
import type { RotarySettings } from "./rotary-tables.js";
import { rotaryFromZero } from "./rotary-turn.js";

/** Names of a layer's modules. */
export interface PostNormNames {
  query: string;
  key: string;
  value: string;
  output: string;
  attentionNorm: string;
  /** Up and down, or gate, up and down. */
  feedForward: readonly [string, string] | readonly [string, string, string];
  norm: string;
}

/** A transformer of BERT's form, in what its kin differ. */
export interface PostNorm {
  vocabulary: number;
  hidden: number;
  layers: number;
  heads: number;
  /** Width of the feed-forward layer. */
  inner: number;
  activation: Activation;
  epsilon: number;
  /** Learned positions: rows of their table, and the place of the first token in it. */
  positions?: { rows: number; first: number };
  /** Rows of the table of token types; none where there are no types. */
  tokenTypes?: number;
  rotary?: RotarySettings;
  /** Added to all layers' scores, [1, heads, tokens, tokens]. */
  bias?(parameters: Parameters, layout: Layout): Value;
  /** Which linear layers have a bias beside their weight (default all). */
  biases?: { attention?: boolean; feedForward?: boolean; down?: boolean };
  names(layer: number): PostNormNames;
}

/**
 * A transformer encoder in BERT's form (Devlin et al. 2019), with norms after each part: hidden states [batch, tokens, hidden] of the last layer.
 * Texts are padded on the right, so a token's position is its place.
 */
export function postNormGraph(form: PostNorm, parameters: Parameters, inputs: EncoderInputs): Value {
  const { hidden, heads, biases = {} } = form;
  const size = hidden / heads;
  const { ids, mask, tokenTypes, dropout } = inputs;
  const norm = layerNorms(parameters, form.epsilon);
  const dropped = (x: Value): Value => (dropout ? mul(x, dropout.mask(x.shape)) : x);
  const layout = layoutOf(ids);
  const attend = bothDirections(layout, mask, dropout);
  const turn = form.rotary ? rotaryFromZero()(form.rotary) : (x: Value): Value => x;

  // Embeddings: [batch, tokens, hidden], then all layers work on [rows = batch · tokens, hidden].
  const table = (name: string, rows: number, at: Value): Value =>
    gather(parameters.get(`embeddings.${name}_embeddings.weight`, [rows, hidden]), at);
  let sum = table("word", form.vocabulary, ids);
  const places = form.positions
    ? table("position", form.positions.rows, add(range(layout.tokens, "tokens"), intConstant([form.positions.first])))
    : undefined;
  if (form.tokenTypes) {
    // With one row all types are the first, whatever the tokenizer says.
    const types = form.tokenTypes > 1 ? tokenTypes : undefined;
    sum = add(sum, table("token_type", form.tokenTypes, types ?? intConstant([0])));
  }
  if (places) sum = add(sum, places);
  let x = dropped(reshape(norm(sum, "embeddings.LayerNorm", hidden), ["rows", hidden], [-1, hidden]));
  const bias = form.bias?.(parameters, layout);

  for (let layer = 0; layer < form.layers; layer++) {
    const names = form.names(layer);
    x = parameters.enterLayer(layer, x);
    const attention = { bias: biases.attention ?? true };
    const [query, key, value] = [names.query, names.key, names.value].map((name) =>
      layout.split(parameters.linear(x, name, hidden, hidden, attention), heads, size),
    ) as [Value, Value, Value];
    const merged = layout.merge(attend(turn(query), turn(key), value, bias ? { bias } : {}));
    const attended = dropped(parameters.linear(merged, names.output, hidden, hidden, attention));
    x = norm(add(attended, x), names.attentionNorm, hidden);
    x = norm(add(dropped(feedForward(form, parameters, x, names.feedForward)), x), names.norm, hidden);
  }
  return layout.batched(x, hidden);
}

function feedForward(
  { hidden, inner, activation, biases = {} }: PostNorm,
  parameters: Parameters,
  x: Value,
  names: PostNormNames["feedForward"],
): Value {
  const bias = biases.feedForward ?? true;
  const down = biases.down ?? bias;
  if (names.length === 3) return gatedFeedForward(parameters, x, names, { hidden, inner, activation, bias, down });
  const [up, last] = names;
  return parameters.linear(
    ACTIVATIONS[activation](parameters.linear(x, up, hidden, inner, { bias })),
    last,
    inner,
    hidden,
    { bias: down },
  );
}
