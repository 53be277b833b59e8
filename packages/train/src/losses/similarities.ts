import { add, constant, div, matmul, mul, reduceSum, split, sqrt, type Value } from "@rag-ft/onnx";

export type Similarity = "cosine" | "dot";

/** torch.nn.functional.normalize's floor on the norm, squared. */
const NORM_FLOOR = 1e-24;

function unitRows(x: Value): Value {
  return div(x, sqrt(add(reduceSum(mul(x, x), [-1], { keepDims: true }), constant(NORM_FLOOR))));
}

/** The first `length` entries of each row. */
function firstEntries(x: Value, length: number): Value {
  const size = x.shape[1] as number;
  return length === size ? x : (split(x, [length, size - length], 1)[0] as Value);
}

/** Scores [queries, keys] of vectors [queries, dimensions] and [keys, dimensions] cut to `length`: similarity / temperature. */
export function similarities(
  queries: Value,
  keys: Value,
  { similarity, temperature, length }: { similarity: Similarity; temperature: number; length: number },
): Value {
  const prepare = similarity === "cosine" ? unitRows : (x: Value): Value => x;
  const [query, key] = [queries, keys].map((vectors) => prepare(firstEntries(vectors, length))) as [Value, Value];
  return matmul(query, key, { transB: true, alpha: 1 / temperature });
}
