import { InternalError } from "@rag-ft/core";
import { apply, type Dim, showShape, type Value } from "../value.js";
import { add, broadcastShapes } from "./elementwise.js";

export interface MatmulOptions {
  /** Transpose the last two dimensions of a (b) first. */
  transA?: boolean;
  transB?: boolean;
  /** Factor of the product. */
  alpha?: number;
}

/** Batched matrix product over the last two dimensions, leading ones broadcast: alpha · op(a) op(b). */
export function matmul(a: Value, b: Value, { transA = false, transB = false, alpha = 1 }: MatmulOptions = {}): Value {
  if (a.shape.length < 2 || b.shape.length < 2) {
    throw new InternalError(`matmul: needs matrices, got ${showShape(a.shape)} and ${showShape(b.shape)}`);
  }
  const [aRows, aColumns] = a.shape.slice(-2) as [Dim, Dim];
  const [bRows, bColumns] = b.shape.slice(-2) as [Dim, Dim];
  const rows = transA ? aColumns : aRows;
  const columns = transB ? bRows : bColumns;
  if ((transA ? aRows : aColumns) !== (transB ? bColumns : bRows)) {
    throw new InternalError(`matmul: inner dimensions differ in ${showShape(a.shape)} x ${showShape(b.shape)}`);
  }
  const shape = [...broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2)), rows, columns];
  const attributes = { transA: transA ? 1 : 0, transB: transB ? 1 : 0, alpha: { float: alpha } };
  return apply("FusedMatMul", [a, b], { dtype: a.dtype, shape }, attributes, "com.microsoft");
}

export interface GemmOptions {
  transA?: boolean;
  transB?: boolean;
}

/** op(a) op(b) + bias for matrices: a [m, k], b [k, n], bias [n] (optional). */
export function gemm(a: Value, b: Value, bias?: Value, { transA = false, transB = false }: GemmOptions = {}): Value {
  const [aRows, aColumns] = a.shape as [Dim, Dim];
  const [bRows, bColumns] = b.shape as [Dim, Dim];
  if (a.shape.length !== 2 || b.shape.length !== 2 || (transA ? aRows : aColumns) !== (transB ? bColumns : bRows)) {
    throw new InternalError(`gemm: cannot multiply ${showShape(a.shape)} by ${showShape(b.shape)}`);
  }
  const shape = [transA ? aColumns : aRows, transB ? bRows : bColumns];
  const attributes = { transA: transA ? 1 : 0, transB: transB ? 1 : 0 };
  return apply("Gemm", bias ? [a, b, bias] : [a, b], { dtype: a.dtype, shape }, attributes);
}

/**
 * A linear layer as PyTorch stores it: x [rows, in], weight [out, in], bias [out]. The bias is an addition of its own: Gemm spreads its addend
 * over the output on one thread first, which costs a tenth of the product.
 */
export function linear(x: Value, weight: Value, bias?: Value): Value {
  const product = matmul(x, weight, { transB: true });
  return bias ? add(product, bias) : product;
}
