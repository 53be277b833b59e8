import { constant, lessOrEqual, MASKED, unsqueeze, type Value, where } from "@rag-ft/onnx";

/**
 * Added to attention scores: 0 where a query may see a key (the key is not later), MASKED elsewhere; [tokens, keys].
 * `queries` and `keys` are positions, int64 [tokens] and [keys].
 */
export function causalBias(queries: Value, keys: Value): Value {
  const visible = lessOrEqual(unsqueeze(keys, [0]), unsqueeze(queries, [1]));
  return where(visible, constant(0), constant(MASKED));
}
