import { add, gather, intConstant, mul, range, reshape, type Value } from "@rag-ft/onnx";
import type { EncoderGraph, EncoderInputs } from "../encoder/encoder-architecture.js";
import type { Parameters } from "../graph/parameters.js";
import { ACTIVATIONS, type Activation } from "./activations.js";
import { bothDirections } from "./both-directions.js";
import { gatedFeedForward } from "./gated-feed-forward.js";
import { type Layout, layoutOf } from "./heads.js";
import { layerNorms } from "./norms.js";
import { pooled } from "./pooled.js";
import type { RotarySettings } from "./rotary-tables.js";
import { rotaryFromZero } from "./rotary-turn.js";

/** Which tokens ask in a layer. */
export type Queries = "all" | "first";

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
  /** Added to all layers' scores, [1, heads, queries, tokens]; the queries are all tokens, or each text's first. */
  bias?(parameters: Parameters, layout: Layout, queries: Queries): Value;
  /** Which linear layers have a bias beside their weight (default all). */
  biases?: { attention?: boolean; feedForward?: boolean; down?: boolean };
  names(layer: number): PostNormNames;
}

/** What an architecture of this form gives: hidden states of all tokens, or of each text's first. */
export function postNormStates(form: PostNorm): Pick<EncoderGraph, "hiddenStates" | "firstStates"> {
  return {
    hiddenStates: (parameters, inputs) => postNormGraph(form, parameters, inputs),
    firstStates: (parameters, inputs) => postNormGraph(form, parameters, inputs, { firstAlone: true }),
  };
}

/**
 * A transformer encoder in BERT's form (Devlin et al. 2019), with norms after each part: hidden states [batch, tokens, hidden] of the last layer.
 * Texts are padded on the right, so a token's position is its place.
 *
 * With `firstAlone` they are those of each text's first token, [batch, hidden]. In the last layer that token alone asks, and goes on to the feed-forward
 * layer; of the others keys and values are all that it needs: the last layer costs a sixth.
 */
function postNormGraph(
  form: PostNorm,
  parameters: Parameters,
  inputs: EncoderInputs,
  { firstAlone = false }: { firstAlone?: boolean } = {},
): Value {
  const { hidden, heads } = form;
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
  const biasOfAll = form.bias?.(parameters, layout, "all");

  for (let layer = 0; layer < form.layers; layer++) {
    const names = form.names(layer);
    x = parameters.enterLayer(layer, x);
    const all = x;
    const attention = { bias: form.biases?.attention ?? true };
    const project = (from: Value, name: string): Value => parameters.linear(from, name, hidden, hidden, attention);
    const isShort = firstAlone && layer === form.layers - 1;
    if (isShort) x = pooled("first", layout.batched(all, hidden), mask, layout);
    const asking = project(x, names.query);
    const [key, value] = [names.key, names.value].map((name) => layout.split(project(all, name), heads, size)) as [
      Value,
      Value,
    ];
    // The first position turns nothing.
    const query = isShort
      ? reshape(asking, ["batch", heads, 1, size], [-1, heads, 1, size])
      : turn(layout.split(asking, heads, size));
    const bias = isShort ? form.bias?.(parameters, layout, "first") : biasOfAll;
    const context = attend(query, turn(key), value, bias ? { bias } : {});
    const merged = isShort ? reshape(context, ["batch", hidden], [-1, hidden]) : layout.merge(context);
    const attended = dropped(project(merged, names.output));
    x = norm(add(attended, x), names.attentionNorm, hidden);
    x = norm(add(dropped(feedForward(form, parameters, x, names.feedForward)), x), names.norm, hidden);
  }
  return firstAlone ? x : layout.batched(x, hidden);
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
