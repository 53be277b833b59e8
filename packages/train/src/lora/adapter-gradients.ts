import { concat, type Dim, gemm, matmul, split, type Value } from "@rag-ft/onnx";
import { madeAgain } from "../gradients/rule.js";

/** An adapter on a linear layer in a graph: y = x (W + s B A)ᵀ, W held fixed (Hu et al. 2021). */
export interface GraphAdapter {
  /** A, [r, in] */
  a: Value;
  /** B, [out, r] */
  b: Value;
  /** Gradient of y, [rows, out] */
  gradient: Value;
}

/** Values side by side along an axis: one product then serves all of them. */
const joined = (values: readonly Value[], axis: number, size?: Dim): Value =>
  values.length === 1 ? (values[0] as Value) : concat(values, axis, size);
const parted = (value: Value, sizes: readonly number[], axis: number): Value[] =>
  sizes.length === 1 ? [value] : split(value, sizes, axis);

/**
 * Gradients of A and B of the adapters on layers that share their input x [rows, in]: dA = s (dY B)ᵀ x and dB = s dYᵀ (x Aᵀ), s = alpha / r.
 * Products of rank r only: the gradient of W, from which both would follow too, is a third of a training step's work and is never
 * made. What all the layers' adapters do with x is one product, since reading x costs more than the rank.
 */
export function adapterGradients(
  kept: Value,
  adapters: readonly GraphAdapter[],
  scale: number,
): { a: Value; b: Value }[] {
  const x = madeAgain(kept);
  const ranks = adapters.map(({ a }) => a.shape[0] as number);
  const downs = joined(
    adapters.map(({ a }) => a),
    0,
  );
  const narrowed = parted(matmul(x, downs, { transB: true, alpha: scale }), ranks, 1);
  const narrowedGradients = adapters.map(({ gradient, b }) => matmul(gradient, b, { alpha: scale }));
  const da = parted(gemm(joined(narrowedGradients, 1), x, undefined, { transA: true }), ranks, 0);
  return adapters.map(({ gradient }, i) => ({
    a: da[i] as Value,
    b: gemm(gradient, narrowed[i] as Value, undefined, { transA: true }),
  }));
}
