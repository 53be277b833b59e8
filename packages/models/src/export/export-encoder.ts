import { input, type ModelSource } from "@rag-ft/onnx";
import type { LoadedEncoder } from "../encoder/load-encoder.js";
import { Parameters } from "../graph/parameters.js";

/** The encoder as an ONNX model with its weights, with the inputs and output that transformers.js expects. */
export function exportEncoder({ graph, architecture, weights }: LoadedEncoder): ModelSource {
  const ids = input("input_ids", "int64", ["batch", "tokens"]);
  const mask = input("attention_mask", "int64", ["batch", "tokens"]);
  const tokenTypes = architecture.hasTokenTypes ? input("token_type_ids", "int64", ["batch", "tokens"]) : undefined;
  const hidden = graph.hiddenStates(new Parameters(), { ids, mask, ...(tokenTypes ? { tokenTypes } : {}) });
  return {
    outputs: { last_hidden_state: hidden },
    weights,
    inputs: [ids, mask, ...(tokenTypes ? [tokenTypes] : [])],
  };
}
