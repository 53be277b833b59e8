import {
  type CausalBlock,
  cachedAttention,
  causalAttention,
  causalBlocks,
  concat,
  type Dim,
  IN_PLACE_MULTIPLE,
  inPlaceAttention,
  intConstant,
  padEnd,
  reshape,
  shapeOf,
  slice,
  type Value,
} from "@rag-ft/onnx";
import type { DecoderCache, InPlaceDecoderCache } from "../decoder/decoder-architecture.js";
import { type BothDirections, bothDirections } from "./both-directions.js";
import { type Layout, layoutOf } from "./heads.js";
import type { RotarySettings } from "./rotary-tables.js";
import { rotaryTurns, type Turn } from "./rotary-turn.js";

/** Keys and values of a layer, with those before them. */
export type Present = readonly [key: Value, value: Value];

/** What a stack does with the heads of its layers, in the layout that its kind of attention takes. */
export interface StackAttention {
  /** Rows [rows, count · size] as heads. The last dimension is size. */
  split(rows: Value, count: number, size: number): Value;
  /** Turns heads to their positions. */
  turn(settings: RotarySettings): Turn;
  /** Attention of heads; its context as rows [rows, heads · size]. */
  attend(query: Value, key: Value, value: Value, layer: number): { context: Value; present: Present };
}

export interface StackAttentionInputs {
  ids: Value;
  positions: Value;
  mask?: Value;
  cache?: DecoderCache;
  inPlace?: InPlaceDecoderCache;
  /** Of causal attention over whole texts: see `GraphForm`. */
  causalBlocks?: number | undefined;
}

export type WindowOf = (layer: number) => number | undefined;

type Attend = (query: Value, key: Value, value: Value, layer: number) => Value;

/** Attention of each layer: over a cache, in both directions, or causal. */
function attentionOf(windowOf: WindowOf, inputs: StackAttentionInputs, layout: Layout): Attend {
  const { mask, cache, causalBlocks: count } = inputs;
  if (cache) return (query, key, value, layer) => cachedAttention(query, key, value, cache.bias(windowOf(layer)));
  if (mask) {
    const attend: BothDirections = bothDirections(layout, mask);
    return (query, key, value, layer) => {
      const window = windowOf(layer);
      return attend(query, key, value, { reach: window === undefined ? undefined : window - 1 });
    };
  }
  const blocks = new Map<number | undefined, CausalBlock[]>();
  return (query, key, value, layer) => {
    const window = windowOf(layer);
    const options = { ...(count === undefined ? {} : { count }), ...(window === undefined ? {} : { window }) };
    const made = blocks.get(window) ?? causalBlocks(layout.tokens, options);
    blocks.set(window, made);
    return causalAttention(query, key, value, made);
  };
}

/** Heads as [batch, count, tokens, size]. */
function byHeads(inputs: StackAttentionInputs, windowOf: WindowOf): StackAttention {
  const layout = layoutOf(inputs.ids);
  const attend = attentionOf(windowOf, inputs, layout);
  return {
    split: layout.split,
    turn: rotaryTurns(inputs.positions),
    attend(query, key, value, layer) {
      const earlier = inputs.cache?.past[layer];
      const keys = earlier ? concat([earlier[0], key], 2, "keys") : key;
      const values = earlier ? concat([earlier[1], value], 2, "keys") : value;
      return { context: layout.merge(attend(query, keys, values, layer)), present: [keys, values] };
    },
  };
}

/** Heads as [batch, tokens, count, size], which is how rows lie in memory: attention that writes to a cache in place takes them so. */
function inPlace(
  { ids, positions }: StackAttentionInputs,
  { stored, last, longest }: InPlaceDecoderCache,
  windowOf: WindowOf,
): StackAttention {
  const dims = shapeOf(ids);
  const turnOf = rotaryTurns(positions);
  /** [batch, tokens, count, size] with zeros up to the size that the cache has. */
  const padded = (x: Value, size: number): Value => {
    const missing = size - Number(x.shape[3]);
    return missing === 0 ? x : padEnd(x, 3, intConstant([missing]), size);
  };
  return {
    split: (rows, count, size) =>
      reshape(rows, ["batch", "tokens", count, size], concat([dims, intConstant([count, size])], 0)),
    turn(settings) {
      const turn = turnOf(settings);
      return (x) => {
        const [batch, tokens, count, size] = x.shape as [Dim, Dim, number, number];
        const rows = reshape(x, [batch, tokens, count * size], [0, 0, count * size]);
        return reshape(turn(rows), x.shape, [0, 0, count, size]);
      };
    },
    attend(query, key, value, layer) {
      const [pastKey, pastValue] = stored[layer] as Present;
      const [heads, size] = [Number(query.shape[2]), Number(query.shape[3])];
      const room = cachedHeadSize(size);
      const window = windowOf(layer);
      const made = inPlaceAttention(
        padded(query, room),
        padded(key, room),
        padded(value, room),
        { key: pastKey, value: pastValue, last, longest },
        { scale: 1 / Math.sqrt(size), ...(window === undefined ? {} : { window }) },
      );
      const context = room === size ? made.context : slice(made.context, 3, 0, size, size);
      return { context: reshape(context, ["rows", heads * size], [-1, heads * size]), present: [made.key, made.value] };
    },
  };
}

/** The size of a head in a cache that is written in place. */
export function cachedHeadSize(size: number): number {
  return Math.ceil(size / IN_PLACE_MULTIPLE) * IN_PLACE_MULTIPLE;
}

/** Attention as the inputs ask for it: with a cache, in both directions, or causal. */
export function stackAttention(inputs: StackAttentionInputs, windowOf: WindowOf): StackAttention {
  return inputs.inPlace ? inPlace(inputs, inputs.inPlace, windowOf) : byHeads(inputs, windowOf);
}
