import { composite, constant, type Dim, intConstant, type Value } from "../value.js";
import { add, div, lessOrEqual, maximum, mul, sub, where } from "./elementwise.js";
import { element } from "./gather.js";
import { matmul } from "./matrix.js";
import { softmax } from "./normalise.js";
import { concat, expand, range, reshape, shapeOf, sliceBetween, unsqueeze } from "./shape.js";

/** Score of a position that may not be seen: its softmax is exactly 0 in float32. */
export const MASKED = -1e9;

/** x [..., size] with one more entry in its last dimension: `column` [..., 1], or a number. */
export function withColumn(x: Value, column: Value | number): Value {
  const rank = x.shape.length;
  const [last] = x.shape.slice(-1);
  const added =
    typeof column === "number"
      ? expand(
          constant(column),
          [...x.shape.slice(0, -1), 1],
          concat(
            [sliceBetween(shapeOf(x), 0, intConstant([0]), intConstant([rank - 1]), rank - 1), intConstant([1])],
            0,
          ),
        )
      : column;
  return concat([x, added], -1, typeof last === "number" ? last + 1 : `${last}+1`);
}

/** 1 / √size of the heads [..., size]: what scores are multiplied by. */
export function attentionScale(query: Value): number {
  return 1 / Math.sqrt(query.shape.at(-1) as number);
}

/** What attention may be told beside query, key and value. */
export interface AttentionOptions {
  /** Added to the scores [batch, heads, tokens, tokens], as far as they do not broadcast: positions' biases, or MASKED outside of a window. */
  bias?: Value;
  /** What the softmax [batch, heads, tokens, tokens] is multiplied by before it weighs the values, in training; it has no gradient. */
  dropout?: Value;
}

/**
 * Scaled dot-product attention (Vaswani et al. 2017): query, key and value [batch, heads, tokens, size]; `keyBias` [batch, heads, tokens, 1] is
 * added to the scores of a key (0, or MASKED for padding) and has no gradient. Returns [batch, heads, tokens, size].
 *
 * A key's bias is a further entry of it, against a 1 of each query, so that the product of both adds it: an addition over all
 * scores would cost more than their softmax.
 */
export function attention(
  query: Value,
  key: Value,
  value: Value,
  keyBias: Value,
  { bias, dropout }: AttentionOptions = {},
): Value {
  const scale = attentionScale(query);
  const keys = withColumn(key, mul(keyBias, 1 / scale));
  const scores = matmul(withColumn(query, 1), keys, { transB: true, alpha: scale });
  const weights = softmax(bias ? add(scores, bias) : scores);
  const seen = dropout ? mul(weights, dropout) : weights;
  const inputs = [query, key, value, ...(bias ? [bias] : []), ...(dropout ? [dropout] : [])];
  const attributes = { bias: bias ? 1 : 0, dropout: dropout ? 1 : 0 };
  return composite("Attention", inputs, [matmul(seen, value), weights], attributes)[0] as Value;
}

/** A block of causal attention: queries from `start`, keys from 0, both up to `end` (int64 [1]). */
export interface BlockBounds {
  start: Value;
  end: Value;
  /** Names of the block's dimensions. */
  queries: Dim;
  keys: Dim;
}
export interface CausalBlock extends BlockBounds {
  /** Added to scores [queries, keys]: 0 where a key is not later than the query, MASKED elsewhere. */
  bias: Value;
}

/** The bounds of block `i`, given its start and end. */
export function blockBounds(i: number, start: Value, end: Value): BlockBounds {
  return { start, end, queries: queriesName(i), keys: keysName(i) };
}

const queriesName = (i: number): string => `queries of block ${i}`;
const keysName = (i: number): string => `keys of block ${i}`;

/**
 * Added to attention scores: 0 where a query may see a key (the key is not later, nor `window` positions before it or more), MASKED elsewhere;
 * [tokens, keys]. `queries` and `keys` are positions, int64 [tokens] and [keys].
 */
export function causalBias(queries: Value, keys: Value, window?: number): Value {
  const [across, down] = [unsqueeze(keys, [0]), unsqueeze(queries, [1])];
  const seen = where(lessOrEqual(across, down), constant(0), constant(MASKED));
  if (window === undefined) return seen;
  return where(lessOrEqual(across, sub(down, intConstant([window]))), constant(MASKED), seen);
}

/** The same for attention in both directions: 0 where a key is at most `reach` positions away, MASKED elsewhere. */
export function windowBias(queries: Value, keys: Value, reach: number): Value {
  const [across, down] = [unsqueeze(keys, [0]), unsqueeze(queries, [1])];
  const near = where(lessOrEqual(across, add(down, intConstant([reach]))), constant(0), constant(MASKED));
  return where(lessOrEqual(down, add(across, intConstant([reach]))), near, constant(MASKED));
}

/**
 * Cuts `tokens` (int64 scalar) in blocks of equal length, the first one shorter. A block of queries sees only the keys up to its own end: with 6
 * blocks, 58 % of all scores are computed and kept, near the half that matters; more blocks make products too small. Of a text with fewer
 * tokens, the first blocks are empty; none has keys without queries, whose product ONNX Runtime would leave unset.
 *
 * @param window Keys that a query sees, itself included; all before it when left out.
 */
export function causalBlocks(
  tokens: Value,
  { count = 6, window }: { count?: number; window?: number } = {},
): CausalBlock[] {
  const all = reshape(tokens, [1], [1]);
  const size = div(add(all, intConstant([count - 1])), intConstant([count]));
  const bound = (i: number): Value => maximum(sub(all, mul(size, intConstant([count - i]))), intConstant([0]));
  const positions = range(tokens, "tokens");
  return Array.from({ length: count }, (_, i) => {
    const block = blockBounds(i, bound(i), bound(i + 1));
    const queries = sliceBetween(positions, 0, block.start, block.end, block.queries);
    const keys = sliceBetween(positions, 0, intConstant([0]), block.end, block.keys);
    return { ...block, bias: causalBias(queries, keys, window) };
  });
}

/** What the names of the blocks' dimensions stand for in texts of so many tokens. */
export function causalBlockSizes(tokens: number, count = 6): Record<string, number> {
  const size = Math.ceil(tokens / count);
  const bound = (i: number): number => Math.max(tokens - size * (count - i), 0);
  const sizes: Record<string, number> = {};
  for (let i = 0; i < count; i++) {
    sizes[queriesName(i)] = bound(i + 1) - bound(i);
    sizes[keysName(i)] = bound(i + 1);
  }
  return sizes;
}

/** Tokens of x [batch, heads, tokens, size], as int64 [1]. */
export function tokenCount(x: Value): Value {
  return reshape(element(shapeOf(x), 2), [1], [1]);
}

/** The block's rows of x [batch, heads, tokens, size], as queries and as keys. */
export function queriesOf({ start, end, queries }: BlockBounds, x: Value): Value {
  return sliceBetween(x, 2, start, end, queries);
}
export function keysOf({ end, keys }: BlockBounds, x: Value): Value {
  return sliceBetween(x, 2, intConstant([0]), end, keys);
}

/**
 * Heads that share a key head as rows of one matrix, in the same memory: [batch, heads, queries, n] to
 * [batch, groups, heads / groups · queries, n], for grouped-query attention (Ainslie et al. 2023).
 */
export function groupHeads(x: Value, groups: number): Value {
  const [batch, heads, queries, size] = x.shape as [Dim, Dim, Dim, Dim];
  // No -1 for "the rest": a block of a text shorter than there are blocks is empty.
  const rows = mul(reshape(element(shapeOf(x), 2), [1], [1]), intConstant([(heads as number) / groups]));
  const target = concat([intConstant([0, groups]), rows, reshape(element(shapeOf(x), 3), [1], [1])], 0);
  return reshape(x, [batch, groups, `${(heads as number) / groups}*${queries}`, size], target);
}

/**
 * Scaled dot-product attention with grouped heads: query [batch, heads, queries, size], key and value [batch, groups, keys, size], `bias`
 * added to scores [.., queries, keys]. Weights [batch, groups, heads / groups · queries, keys] and context [batch, heads, queries, size].
 */
function biasedAttention(query: Value, key: Value, value: Value, bias: Value): { weights: Value; context: Value } {
  const groups = key.shape[1] as number;
  const flat = matmul(groupHeads(query, groups), key, { transB: true, alpha: attentionScale(query) });
  const rows = sliceBetween(shapeOf(query), 0, intConstant([0]), intConstant([3]), 3);
  const scores = reshape(flat, [...query.shape.slice(0, 3), key.shape[2] as Dim], concat([rows, tokenCount(key)], 0));
  const weights = groupHeads(softmax(add(scores, bias)), groups);
  return { weights, context: reshape(matmul(weights, value), query.shape, shapeOf(query)) };
}

/** Attention of new tokens to cached and new keys, as `biasedAttention`; [batch, heads, queries, size]. For inference. */
export function cachedAttention(query: Value, key: Value, value: Value, bias: Value): Value {
  return biasedAttention(query, key, value, bias).context;
}

/**
 * Causal scaled dot-product attention: query [batch, heads, tokens, size], key and value [batch, groups, tokens, size]. Returns
 * [batch, heads, tokens, size].
 */
export function causalAttention(query: Value, key: Value, value: Value, blocks: readonly CausalBlock[]): Value {
  const parts = blocks.map((block) =>
    biasedAttention(queriesOf(block, query), keysOf(block, key), keysOf(block, value), block.bias),
  );
  const context = concat(
    parts.map((part) => part.context),
    2,
    query.shape[2],
  );
  const bounds = blocks.flatMap(({ start, end }) => [start, end]);
  const body = [context, ...parts.map((part) => part.weights)];
  return composite("CausalAttention", [query, key, value, ...bounds], body)[0] as Value;
}
