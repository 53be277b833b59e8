import {
  add,
  attentionScale,
  type BlockBounds,
  blockBounds,
  concat,
  groupHeads,
  keysOf,
  matmul,
  mul,
  type Node,
  neg,
  padEnd,
  queriesOf,
  reduceSum,
  reshapeLike,
  sub,
  tokenCount,
  type Value,
  withColumn,
} from "@rag-ft/onnx";
import type { Rule } from "./rule.js";

/** Attention as its gradient sees it: queries with those of their heads that share a key head as rows. */
interface Seen {
  query: Value;
  key: Value;
  /** The gradient dS of the scores. */
  scores: Value;
  /** What weighs the values: the softmax P of the scores, after dropout. */
  weights: Value;
  /** The gradient dC of the context. */
  gradient: Value;
  scale: number;
}

/** The gradients of query, key and value. */
function gradients({ query, key, scores, weights, gradient, scale }: Seen): [Value, Value, Value] {
  return [
    matmul(scores, key, { alpha: scale }),
    matmul(scores, query, { transA: true, alpha: scale }),
    matmul(weights, gradient, { transA: true }),
  ];
}

/**
 * For P = softmax(scale · Q Kᵀ) and C = P V: dS = P ∘ (dP - rowsum(dP ∘ P)) with dP = dC Vᵀ. That row sum is rowsum(dC ∘ C) (Dao et al. 2022), over a
 * head's size and not over all keys; as one more column of the product it costs no pass over the scores either.
 *
 * @param extended dC with the column -rowsum(dC ∘ C).
 * @param values V with a column of ones.
 */
function scoreGradients(weights: Value, extended: Value, values: Value): Value {
  return mul(weights, matmul(extended, values, { transB: true }));
}

/**
 * With dropout Z, C = (P ∘ Z) V and dP = Z ∘ (dC Vᵀ). The row sum is rowsum(dC ∘ C) as before, but it cannot be a column of the product, which is
 * masked.
 */
function droppedScoreGradients(weights: Value, dropout: Value, gradient: Value, value: Value, context: Value): Value {
  const masked = mul(dropout, matmul(gradient, value, { transB: true }));
  return mul(weights, sub(masked, rowSums(gradient, context)));
}

/** rowsum(dC ∘ C), as a column. */
function rowSums(gradient: Value, context: Value): Value {
  return reduceSum(mul(gradient, context), [-1], { keepDims: true });
}

/** dC with the column -rowsum(dC ∘ C). */
function withRowSums(gradient: Value, context: Value): Value {
  return withColumn(gradient, neg(rowSums(gradient, context)));
}

const causalBounds = ({ inputs }: Node): BlockBounds[] =>
  Array.from({ length: (inputs.length - 3) / 2 }, (_, i) =>
    blockBounds(i, inputs[3 + 2 * i] as Value, inputs[4 + 2 * i] as Value),
  );

/** Rules of attention, whose parts' own rules would pass over the scores three times more. */
export const attentionRules: Record<string, Rule> = {
  Attention: ({ node, gradient }) => {
    const [query, key, value, ...further] = node.inputs as [Value, Value, Value, ...Value[]];
    const dropout = node.attributes.dropout === 1 ? further.at(-1) : undefined;
    const [context, weights] = node.outputs as [Value, Value];
    const scores = dropout
      ? droppedScoreGradients(weights, dropout, gradient, value, context)
      : scoreGradients(weights, withRowSums(gradient, context), withColumn(value, 1));
    // Dropped weights are computed again: the pass over the scores costs less than keeping them.
    const seen = dropout ? mul(dropout, weights) : weights;
    const made = gradients({ query, key, scores, weights: seen, gradient, scale: attentionScale(query) });
    // What is added to the scores has their gradient, summed over batch and heads where it is the same for all.
    return node.attributes.bias === 1 ? [...made, scores] : made;
  },
  // Block by block; a key's gradient is the sum over the blocks that see it.
  CausalAttention: ({ node, gradient }) => {
    const [query, key, value] = node.inputs as [Value, Value, Value];
    const [context, ...weights] = node.outputs as [Value, ...Value[]];
    const groups = key.shape[1] as number;
    const extended = withRowSums(gradient, context);
    const values = withColumn(value, 1);
    const tokens = tokenCount(key);
    const parts = causalBounds(node).map((block, i) => {
      const own = queriesOf(block, query);
      const seen = weights[i] as Value;
      const [dq, dk, dv] = gradients({
        query: groupHeads(own, groups),
        key: keysOf(block, key),
        scores: scoreGradients(seen, groupHeads(queriesOf(block, extended), groups), keysOf(block, values)),
        weights: seen,
        gradient: groupHeads(queriesOf(block, gradient), groups),
        scale: attentionScale(query),
      });
      const whole = (x: Value): Value => padEnd(x, 2, sub(tokens, block.end), key.shape[2] as string | number);
      return { query: reshapeLike(dq, own), key: whole(dk), value: whole(dv) };
    });
    const sum = (values: Value[]): Value => values.reduce((a, b) => add(a, b));
    return [
      concat(
        parts.map((part) => part.query),
        2,
        query.shape[2],
      ),
      sum(parts.map((part) => part.key)),
      sum(parts.map((part) => part.value)),
    ];
  },
};
