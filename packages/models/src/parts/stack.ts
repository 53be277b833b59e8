import { add, gather, mul, type Value } from "@rag-ft/onnx";
import type { DecoderInputs, DecoderOutputs } from "../decoder/decoder-architecture.js";
import type { Parameters } from "../graph/parameters.js";
import type { Activation } from "./activations.js";
import { gatedFeedForward } from "./gated-feed-forward.js";
import { type Norm, rmsNorms } from "./norms.js";
import type { RotarySettings } from "./rotary-tables.js";
import type { Turn } from "./rotary-turn.js";
import { type Present, stackAttention } from "./stack-attention.js";
import { tokenRows } from "./token-rows.js";

/** A transformer of Llama's form, in what its kin differ. */
export interface Stack {
  vocabulary: number;
  hidden: number;
  layers: number;
  heads: number;
  /** Heads of keys and values, each shared by heads / groups queries. */
  groups: number;
  /** Of a head. */
  size: number;
  /** Width of the feed-forward layer. */
  inner: number;
  activation: Activation;
  epsilon: number;
  /** Most tokens of a text. */
  positions: number;
  /** A layer's rotary positions; undefined for a layer without positions. */
  rotary(layer: number): RotarySettings | undefined;
  /** Keys that a query of this layer sees: itself and those before it, or those nearer than this in both directions; undefined for all. */
  window?(layer: number): number | undefined;
  /** Which layers have a bias beside their weight. */
  biases?: { queryKeyValue?: boolean; output?: boolean; feedForward?: boolean };
  /** RMSNorm of each query and key before it is turned. */
  queryKeyNorm?: boolean;
  /** Scales of norms are stored less 1, as Gemma's. */
  normsOnePlus?: boolean;
  /** Norms after attention and feed-forward too, as Gemma has them. */
  normsAfter?: boolean;
  /** Factors: of embeddings, of what a part adds, of scores in place of 1 / √size. */
  factors?: { embedding?: number; residual?: number; attention?: number };
}

const scaled = (x: Value, factor = 1): Value => (factor === 1 ? x : mul(x, factor));

export interface StackInputs extends DecoderInputs {
  /** int64 [batch, tokens], 1 for a token: given, attention is in both directions. */
  mask?: Value;
  /** Before the names of all weights, such as `model.`. */
  prefix: string;
}

/**
 * A transformer in Llama's form (Touvron et al. 2023): RMSNorm before each part, rotary positions, grouped-query attention (Ainslie et al.
 * 2023), gated feed-forward (Shazeer 2020). Hidden states are those after the last norm.
 */
export function stackGraph(stack: Stack, parameters: Parameters, inputs: StackInputs): DecoderOutputs {
  const { hidden, heads, groups, size, inner, activation, biases = {}, factors = {} } = stack;
  const { ids, prefix } = inputs;
  const norm: Norm = rmsNorms(parameters, stack.epsilon, { onePlus: stack.normsOnePlus ?? false });
  const attention = stackAttention({ ...inputs, causalBlocks: parameters.form.causalBlocks }, (layer) =>
    stack.window?.(layer),
  );
  // The product scales by 1 / √size: queries take the rest.
  const queryFactor = factors.attention === undefined ? 1 : factors.attention * Math.sqrt(size);
  const names = stack.normsAfter
    ? { fed: "pre_feedforward_layernorm", attended: "post_attention_layernorm", done: "post_feedforward_layernorm" }
    : { fed: "post_attention_layernorm" };
  const present: Present[] = [];

  let x = tokenRows(parameters, `${prefix}embed_tokens.weight`, [stack.vocabulary, hidden], ids);
  x = scaled(x, factors.embedding);
  for (let layer = 0; layer < stack.layers; layer++) {
    const at = `${prefix}layers.${layer}`;
    x = parameters.enterLayer(layer, x);
    const added = (part: Value, after: string | undefined): Value =>
      add(x, scaled(after ? norm(part, `${at}.${after}`, hidden) : part, factors.residual));
    const normal = norm(x, `${at}.input_layernorm`, hidden);
    const project = (part: string, count: number): Value => {
      const name = `${at}.self_attn.${part}_proj`;
      const made = parameters.linear(normal, name, hidden, count * size, { bias: biases.queryKeyValue ?? false });
      return attention.split(made, count, size);
    };
    const normed = (y: Value, part: string): Value =>
      stack.queryKeyNorm ? norm(y, `${at}.self_attn.${part}_norm`, size) : y;
    const settings = stack.rotary(layer);
    const turn: Turn = settings ? attention.turn(settings) : (y) => y;
    const query = scaled(turn(normed(project("q", heads), "q")), queryFactor);
    const key = turn(normed(project("k", groups), "k"));
    const attended = attention.attend(query, key, project("v", groups), layer);
    present.push(attended.present);
    // Of the last layer, rows that are not wanted end here: their keys and values are all that others need.
    const wanted = layer === stack.layers - 1 ? inputs.rows : undefined;
    const context = wanted ? gather(attended.context, wanted) : attended.context;
    if (wanted) x = gather(x, wanted);
    const output = { bias: biases.output ?? false };
    x = added(parameters.linear(context, `${at}.self_attn.o_proj`, heads * size, hidden, output), names.attended);
    const fed = norm(x, `${at}.${names.fed}`, hidden);
    const layers = [`${at}.mlp.gate_proj`, `${at}.mlp.up_proj`, `${at}.mlp.down_proj`] as const;
    const sizes = { hidden, inner, activation, bias: biases.feedForward ?? false };
    x = added(gatedFeedForward(parameters, fed, layers, sizes), names.done);
  }
  return { hidden: norm(x, `${prefix}norm`, hidden), present };
}
