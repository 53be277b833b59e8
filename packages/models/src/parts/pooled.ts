import {
  add,
  cast,
  constant,
  div,
  intConstant,
  lessOrEqual,
  matmul,
  mul,
  range,
  reduceSum,
  reshape,
  unsqueeze,
  type Value,
  where,
} from "@rag-ft/onnx";
import type { Layout } from "./heads.js";

/** Which hidden states a classification head reads. */
export type Pooled = "first" | "mean" | "last";

/** One hidden state of each text, [batch, hidden], of [batch, tokens, hidden]; padding, on the right, has 0 in `mask` [batch, tokens]. */
export function pooled(kind: Pooled, hidden: Value, mask: Value, layout: Layout): Value {
  const place = range(layout.tokens, "tokens");
  const ones = unsqueeze(cast(mask, "float32"), [1]); // [batch, 1, tokens]
  const weights = (): Value => {
    if (kind === "mean") return div(ones, reduceSum(ones, [-1], { keepDims: true }));
    const [zero, one] = [constant(0), constant(1)];
    if (kind === "first") return unsqueeze(where(lessOrEqual(place, intConstant([0])), one, zero), [0]);
    // Of the tokens, those with nothing but padding after them.
    const last = unsqueeze(reduceSum(mask, [1], { keepDims: true }), [1]);
    return mul(ones, where(lessOrEqual(last, addOne(place)), one, zero));
  };
  return reshape(matmul(weights(), hidden), ["batch", hidden.shape[2] as number]);
}

const addOne = (place: Value): Value => add(place, intConstant([1]));
