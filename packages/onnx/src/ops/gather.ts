import { InternalError } from "@rag-ft/core";
import { apply, positiveAxis, type Value } from "../value.js";
import { expandLike, reshape } from "./shape.js";

/** Rows of `table` [rows, …] by `indices` (int64, any shape): shape of indices, then the rest of the table's. */
export function gather(table: Value, indices: Value): Value {
  const shape = [...indices.shape, ...table.shape.slice(1)];
  return apply("Gather", [table, indices], { dtype: table.dtype, shape }, { axis: 0 });
}

/** One entry of a vector of known length, as a scalar. */
export function element(vector: Value, index: number): Value {
  const position: Value = { dtype: "int64", shape: [], data: BigInt64Array.of(BigInt(index)) };
  return apply("Gather", [vector, position], { dtype: vector.dtype, shape: vector.shape.slice(1) }, { axis: 0 });
}

/** For each position, the entry of x along `axis` that `indices` (same rank) names. */
export function gatherElements(x: Value, indices: Value, axis: number): Value {
  if (x.shape.length !== indices.shape.length) throw new InternalError("gatherElements: ranks differ");
  const at = positiveAxis(axis, x.shape.length);
  return apply("GatherElements", [x, indices], { dtype: x.dtype, shape: indices.shape }, { axis: at });
}

/** x with `updates` added at the positions that `indices` names along `axis` (the gradient of `gatherElements`). */
export function scatterElementsAdd(x: Value, indices: Value, updates: Value, axis: number): Value {
  return apply(
    "ScatterElements",
    [x, indices, updates],
    { dtype: x.dtype, shape: x.shape },
    { axis: positiveAxis(axis, x.shape.length), reduction: "add" },
  );
}

/**
 * x with the rows `updates` [n, …] added at `indices` [n] (the gradient of `gather`). Element by element, since ONNX Runtime's
 * ScatterND adds rows in parallel without a lock: with several threads, additions to the same row get lost.
 */
export function scatterRowsAdd(x: Value, indices: Value, updates: Value): Value {
  const ones = updates.shape.slice(1).map(() => 1);
  const column = reshape(indices, [...indices.shape, ...ones], [-1, ...ones]);
  return scatterElementsAdd(x, expandLike(column, updates), updates, 0);
}
