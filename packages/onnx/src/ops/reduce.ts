import { apply, intConstant, positiveAxis, type Shape, type Value } from "../value.js";

function reduced(shape: Shape, axes: readonly number[], keepDims: boolean): Shape {
  const at = new Set(axes.map((axis) => positiveAxis(axis, shape.length)));
  return keepDims ? shape.map((dim, i) => (at.has(i) ? 1 : dim)) : shape.filter((_, i) => !at.has(i));
}

function reduce(op: string, x: Value, axes: readonly number[], keepDims: boolean): Value {
  const positive = axes.map((axis) => positiveAxis(axis, x.shape.length));
  return apply(
    op,
    [x, intConstant(positive)],
    { dtype: x.dtype, shape: reduced(x.shape, positive, keepDims) },
    { keepdims: keepDims ? 1 : 0 },
  );
}

/** Sum over axes. */
export function reduceSum(x: Value, axes: readonly number[], { keepDims = false } = {}): Value {
  return reduce("ReduceSum", x, axes, keepDims);
}

/** Mean over axes. */
export function reduceMean(x: Value, axes: readonly number[], { keepDims = false } = {}): Value {
  return reduce("ReduceMean", x, axes, keepDims);
}

/** Largest element over axes. */
export function reduceMax(x: Value, axes: readonly number[], { keepDims = false } = {}): Value {
  return reduce("ReduceMax", x, axes, keepDims);
}

/** Sum of all elements, a scalar. */
export function sumAll(x: Value): Value {
  return x.shape.length === 0
    ? x
    : reduceSum(
        x,
        x.shape.map((_, i) => i),
      );
}

/** Where the largest entry of an axis is, the first of equals: int64, with that axis of size 1. */
export function argMax(x: Value, axis: number): Value {
  const shape = reduced(x.shape, [axis], true);
  return apply("ArgMax", [x], { dtype: "int64", shape }, { axis: positiveAxis(axis, x.shape.length), keepdims: 1 });
}
