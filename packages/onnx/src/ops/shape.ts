import { InternalError } from "@rag-ft/core";
import { apply, applyNode, type Dim, intConstant, positiveAxis, type Shape, showShape, type Value } from "../value.js";

/** The shape of x as an int64 vector [rank of x]. */
export function shapeOf(x: Value): Value {
  return apply("Shape", [x], { dtype: "int64", shape: [x.shape.length] });
}

/**
 * Reshapes to `shape`. `target` is the ONNX shape vector: an int64 value, or numbers where -1 is "the rest" and 0 "as it is";
 * by default the numbers of `shape`, with its one name, if any, as the rest.
 */
export function reshape(x: Value, shape: Shape, target?: Value | readonly number[]): Value {
  let vector: Value;
  if (target === undefined) {
    if (shape.filter((dim) => typeof dim === "string").length > 1) {
      throw new InternalError(`reshape to ${showShape(shape)}: two unknown dimensions need an explicit target`);
    }
    vector = intConstant(shape.map((dim) => (typeof dim === "number" ? dim : -1)));
  } else {
    vector = "shape" in target ? target : intConstant(target);
  }
  return apply("Reshape", [x, vector], { dtype: x.dtype, shape });
}

/** x in the shape of `like`, which holds as many elements. */
export function reshapeLike(x: Value, like: Value): Value {
  return reshape(x, like.shape, shapeOf(like));
}

export function transpose(x: Value, permutation: readonly number[]): Value {
  if (permutation.length !== x.shape.length) throw new InternalError("transpose: one axis for each dimension");
  const shape = permutation.map((axis) => x.shape[axis] as Dim);
  return apply("Transpose", [x], { dtype: x.dtype, shape }, { perm: permutation });
}

/** Joins along an axis; `size` is the joined dimension when it cannot be added up from numbers. */
export function concat(values: readonly Value[], axis: number, size?: Dim): Value {
  const first = values[0];
  if (!first) throw new InternalError("concat: nothing to join");
  const at = positiveAxis(axis, first.shape.length);
  const sizes = values.map((value) => value.shape[at] as Dim);
  const total =
    size ?? sizes.reduce<Dim>((a, b) => (typeof a === "number" && typeof b === "number" ? a + b : `${a}+${b}`), 0);
  const shape = first.shape.map((dim, i) => (i === at ? total : dim));
  return apply("Concat", values, { dtype: first.dtype, shape }, { axis: at });
}

/** Cuts an axis of known length into parts of the given sizes. */
export function split(x: Value, sizes: readonly number[], axis: number): Value[] {
  const at = positiveAxis(axis, x.shape.length);
  const total = sizes.reduce((a, b) => a + b, 0);
  if (x.shape[at] !== total) throw new InternalError(`split: ${showShape(x.shape)} has no ${total} on axis ${at}`);
  const outputs = sizes.map((size) => ({ dtype: x.dtype, shape: x.shape.map((dim, i) => (i === at ? size : dim)) }));
  return applyNode("Split", [x, intConstant(sizes)], outputs, { axis: at });
}

/** A copy of x with dimensions of size 1 repeated to `shape`, whose run-time form is the int64 vector `target`. */
export function expand(x: Value, shape: Shape, target: Value): Value {
  return apply("Expand", [x, target], { dtype: x.dtype, shape });
}

/** x repeated to the shape of `like`. */
export function expandLike(x: Value, like: Value): Value {
  return expand(x, like.shape, shapeOf(like));
}

export function unsqueeze(x: Value, axes: readonly number[]): Value {
  const size = x.shape.length + axes.length;
  const at = new Set(axes.map((axis) => positiveAxis(axis, size)));
  const rest = [...x.shape];
  const shape = Array.from({ length: size }, (_, i) => (at.has(i) ? 1 : (rest.shift() as Dim)));
  return apply("Unsqueeze", [x, intConstant([...at].sort((a, b) => a - b))], { dtype: x.dtype, shape });
}

/** Entries `start <= i < end` of one axis. `size` names the resulting dimension. */
export function slice(x: Value, axis: number, start: number, end: number, size: Dim): Value {
  const at = positiveAxis(axis, x.shape.length);
  const shape = x.shape.map((dim, i) => (i === at ? size : dim));
  return apply("Slice", [x, intConstant([start]), intConstant([end]), intConstant([at])], { dtype: x.dtype, shape });
}

/** Entries `start <= i < end` of one axis, for bounds known at run time (int64 [1]). `size` names the resulting dimension. */
export function sliceBetween(x: Value, axis: number, start: Value, end: Value, size: Dim): Value {
  const at = positiveAxis(axis, x.shape.length);
  const shape = x.shape.map((dim, i) => (i === at ? size : dim));
  return apply("Slice", [x, start, end, intConstant([at])], { dtype: x.dtype, shape });
}

/** x with `count` (int64 [1]) zeros after the entries of one axis. `size` names the resulting dimension. */
export function padEnd(x: Value, axis: number, count: Value, size: Dim): Value {
  const at = positiveAxis(axis, x.shape.length);
  const rank = x.shape.length;
  const before = intConstant(new Array(rank + at).fill(0));
  const after = intConstant(new Array(rank - at - 1).fill(0));
  const pads = concat([before, count, ...(rank - at > 1 ? [after] : [])], 0);
  const shape = x.shape.map((dim, i) => (i === at ? size : dim));
  return apply("Pad", [x, pads], { dtype: x.dtype, shape });
}

/** 0, 1, …, limit - 1 as int64; `limit` is an int64 scalar. */
export function range(limit: Value, size: Dim): Value {
  return apply("Range", [intConstant([0], []), limit, intConstant([1], [])], { dtype: "int64", shape: [size] });
}
