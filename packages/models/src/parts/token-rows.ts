import { reshape, type Value } from "@rag-ft/onnx";
import type { Parameters } from "../graph/parameters.js";

/** Embeddings of all tokens, [rows = batch · tokens, hidden], of the table `name`. */
export function tokenRows(
  parameters: Parameters,
  name: string,
  [vocabulary, hidden]: [number, number],
  ids: Value,
): Value {
  return reshape(parameters.rows(name, [vocabulary, hidden], ids), ["rows", hidden], [-1, hidden]);
}
