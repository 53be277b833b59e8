import { applyNode, type Value } from "../value.js";
import { attentionScale } from "./attention.js";
import { reshape } from "./shape.js";

/** Heads must be a multiple of so many numbers in the memory of `inPlaceAttention`. */
export const IN_PLACE_MULTIPLE = 8;

/** Keys and values of texts, [batch, groups, capacity, size] each, and how far they are filled. */
export interface InPlaceCache {
  key: Value;
  value: Value;
  /** int32 [batch]: tokens of each text with the new ones, less 1. */
  last: Value;
  /** int32 [1]: tokens of the longest text with the new ones. */
  longest: Value;
}

/**
 * Causal attention with grouped heads (Ainslie et al. 2023) of new tokens to those in a cache and to themselves: query
 * [batch, tokens, heads, size], key and value [batch, tokens, groups, size], `scale` of the scores, `window` of keys that a query sees, itself
 * included. Returns the context as query, and the cache with the new keys and values in it.
 *
 * ONNX Runtime writes them where they belong and copies nothing when each output of the cache is given the memory of its input. It takes
 * several texts that begin (all padded to `longest`), or several that go on by one token each, or one text that goes on by any number.
 */
export function inPlaceAttention(
  query: Value,
  key: Value,
  value: Value,
  cache: InPlaceCache,
  { scale = attentionScale(query), window }: { scale?: number; window?: number } = {},
): { context: Value; key: Value; value: Value } {
  const [batch, tokens, heads, size] = query.shape;
  const flat = (x: Value): Value => {
    const width = Number(x.shape[2]) * Number(x.shape[3]);
    return reshape(x, [batch ?? 1, tokens ?? 1, width], [0, 0, width]);
  };
  const rows = flat(query);
  const attributes = {
    num_heads: Number(heads),
    kv_num_heads: Number(key.shape[2]),
    scale: { float: scale },
    ...(window === undefined ? {} : { local_window_size: window }),
  };
  const inputs = [rows, flat(key), flat(value), cache.key, cache.value, cache.last, cache.longest];
  const outputs = [rows, cache.key, cache.value].map(({ dtype, shape }) => ({ dtype, shape }));
  const [context, present, presentValue] = applyNode(
    "GroupQueryAttention",
    inputs,
    outputs,
    attributes,
    "com.microsoft",
  ) as [Value, Value, Value];
  const whole = [0, 0, Number(heads), Number(size)];
  return { context: reshape(context, query.shape, whole), key: present, value: presentValue };
}
