import { concat, element, intConstant, reshape, shapeOf, transpose, type Value } from "@rag-ft/onnx";

/** The layout of a batch of texts: rows of tokens, heads, and back. */
export interface Layout {
  /** int64 scalar: tokens of a text, padding included. */
  readonly tokens: Value;
  /** [rows, count · size] to [batch, count, tokens, size]. */
  split(x: Value, count: number, size: number): Value;
  /** [batch, count, tokens, size] to [rows, count · size]. */
  merge(x: Value): Value;
  /** [rows, size] to [batch, tokens, size]. */
  batched(x: Value, size: number): Value;
}

/** Rows are the tokens of all texts, batch · tokens; `ids` is [batch, tokens]. */
export function layoutOf(ids: Value): Layout {
  const dims = shapeOf(ids);
  return {
    tokens: element(dims, 1),
    split(x, count, size) {
      const target = concat([dims, intConstant([count, size])], 0);
      return transpose(reshape(x, ["batch", "tokens", count, size], target), [0, 2, 1, 3]);
    },
    merge(x) {
      const width = Number(x.shape[1]) * Number(x.shape[3]);
      return reshape(transpose(x, [0, 2, 1, 3]), ["rows", width], [-1, width]);
    },
    batched: (x, size) => reshape(x, ["batch", "tokens", size], concat([dims, intConstant([size])], 0)),
  };
}
