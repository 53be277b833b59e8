import { constant, lessOrEqual, unsqueeze, type Value, where } from "@rag-ft/onnx";

/** Score of a position that may not be seen: its softmax is exactly 0 in float32. */
export const MASKED = -1e9;

/**
 * Added to attention scores: 0 where a query may see a key (the key is not later), MASKED elsewhere; [tokens, keys].
 * `queries` and `keys` are positions, int64 [tokens] and [keys].
 */
export function causalBias(queries: Value, keys: Value): Value {
  const visible = lessOrEqual(unsqueeze(keys, [0]), unsqueeze(queries, [1]));
  return where(visible, constant(0), constant(MASKED));
}
