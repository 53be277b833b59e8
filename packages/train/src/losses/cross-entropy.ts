import { gatherElements, logSoftmax, mul, neg, reshape, sumAll, type Value } from "@rag-ft/onnx";

/** Log-probability of each row's label, [rows]: logits [rows, classes], labels int64 [rows]. */
export function labelLogProbabilities(logits: Value, labels: Value): Value {
  const rows = logits.shape[0] as number | string;
  return reshape(gatherElements(logSoftmax(logits), reshape(labels, [rows, 1], [-1, 1]), 1), [rows], [-1]);
}

/**
 * Weighted sum of cross-entropies: logits [rows, classes], labels int64 [rows], weights [rows] (1 / rows for the mean).
 * Returns a scalar.
 */
export function crossEntropy(logits: Value, labels: Value, weights: Value): Value {
  return neg(sumAll(mul(labelLogProbabilities(logits, labels), weights)));
}
