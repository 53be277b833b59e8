import {
  concat,
  constant,
  expand,
  intConstant,
  matmul,
  reshape,
  shapeOf,
  sliceBetween,
  type Value,
} from "@rag-ft/onnx";

/**
 * Sum of x [rows, size] over its rows, as a product with ones. ReduceSum adds one row after the other, and over
 * many rows loses more to rounding.
 */
export function sumRows(x: Value): Value {
  const [rows = 1, size = 1] = x.shape;
  const count = sliceBetween(shapeOf(x), 0, intConstant([0]), intConstant([1]), 1);
  const ones = expand(constant(1), [rows, 1], concat([count, intConstant([1])], 0));
  return reshape(matmul(x, ones, { transA: true }), [size], [-1]);
}
