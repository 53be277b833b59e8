import { gather, input, intConstant, linear, type Value } from "@rag-ft/onnx";
import { crossEntropy, labelLogProbabilities } from "@rag-ft/train";
import type { Parameters } from "../graph/parameters.js";
import type { DecoderGraph } from "./decoder-architecture.js";

/** Logits [labels, vocabulary] of the rows that have a label; graph inputs as `answerLoss` has them. */
function labelLogits(graph: DecoderGraph, parameters: Parameters): Value {
  const ids = input("ids", "int64", ["batch", "tokens"]);
  const { hidden } = graph.hiddenStates(parameters, { ids, positions: intConstant([0]) });
  const picked = gather(hidden, input("label_rows", "int64", ["labels"]));
  return linear(picked, graph.head(parameters));
}

/** Log-probability [labels] of each label; graph inputs as `answerLoss` has them, without weights. */
export function answerLogProbabilities(graph: DecoderGraph, parameters: Parameters): Value {
  return labelLogProbabilities(labelLogits(graph, parameters), input("labels", "int64", ["labels"]));
}

/**
 * Weighted sum of next-token cross-entropies at the rows that have a label, a scalar. Graph inputs: `ids` [batch, tokens] (padded on the
 * right: causal attention keeps padding out of the answers), `label_rows` [labels] (row = batch index · tokens + position whose next token
 * is predicted), `labels` [labels], `label_weights` [labels]. Logits are computed at those rows only.
 */
export function answerLoss(graph: DecoderGraph, parameters: Parameters): Value {
  const logits = labelLogits(graph, parameters);
  return crossEntropy(logits, input("labels", "int64", ["labels"]), input("label_weights", "float32", ["labels"]));
}
