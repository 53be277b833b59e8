import { gatherElements, logSoftmax, mul, neg, reshape, sumAll, type Value } from "@rag-ft/onnx";

/**
 * Weighted sum of cross-entropies: logits [rows, classes], labels int64 [rows], weights [rows] (1 / rows for the mean).
 * Returns a scalar.
 */
export function crossEntropy(logits: Value, labels: Value, weights: Value): Value {
  const rows = logits.shape[0] as number | string;
  const picked = gatherElements(logSoftmax(logits), reshape(labels, [rows, 1], [-1, 1]), 1);
  return neg(sumAll(mul(reshape(picked, [rows], [-1]), weights)));
}
