import { gemm, matmul, type Value } from "@rag-ft/onnx";
import { madeAgain } from "../gradients/rule.js";

/** A linear layer with an adapter in a graph: y = x (W + s B A)ᵀ, W held fixed (Hu et al. 2021). */
export interface AdaptedLayer {
  /** [rows, in] */
  x: Value;
  /** Gradient of y, [rows, out] */
  gradient: Value;
  /** A, [r, in] */
  a: Value;
  /** B, [out, r] */
  b: Value;
  /** s = alpha / r */
  scale: number;
}

/**
 * Gradients of A and B: dA = s (dY B)ᵀ x and dB = s dYᵀ (x Aᵀ). Products of rank r only: the gradient of W, from which both would
 * follow too, is a third of a training step's work and is never made.
 */
export function adapterGradients({ x: kept, gradient, a, b, scale: alpha }: AdaptedLayer): { a: Value; b: Value } {
  const x = madeAgain(kept);
  const narrowed = matmul(x, a, { transB: true, alpha });
  const narrowedGradient = matmul(gradient, b, { alpha });
  return {
    a: gemm(narrowedGradient, x, undefined, { transA: true }),
    b: gemm(gradient, narrowed, undefined, { transA: true }),
  };
}
