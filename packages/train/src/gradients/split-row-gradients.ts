import { add, productOf, reshape, type Value } from "@rag-ft/onnx";

/** Gradients of single rows of a table: `updates` [n, …] of the rows `indices` [n], which may come several times. */
export interface RowGradient {
  indices: Value;
  updates: Value;
}

/**
 * A gradient in two parts, whose sum it is: of the whole tensor, if any, and of rows that were looked up. A large table's few rows are then
 * added where they belong, instead of a tensor of the table's size that is nearly all zeros.
 */
export function splitRowGradients(gradient: Value): { whole: Value | undefined; rows: RowGradient[] } {
  const { node, shape } = gradient;
  const inputs = node?.inputs ?? [];
  if (node?.op === "Add" && inputs.every((value) => value.shape.join() === shape.join())) {
    const parts = inputs.map(splitRowGradients);
    const wholes = parts.flatMap(({ whole }) => (whole ? [whole] : []));
    return {
      whole: wholes.length > 0 ? wholes.reduce((a, b) => add(a, b)) : undefined,
      rows: parts.flatMap(({ rows }) => rows),
    };
  }
  // As `scatterRowsAdd` makes: a column of row numbers, repeated over each row's entries.
  const [base, repeated, updates] = inputs;
  const column = repeated?.node?.op === "Expand" ? repeated.node.inputs[0] : undefined;
  if (node?.op === "ScatterElements" && isZeros(base) && column && updates) {
    return { whole: undefined, rows: [{ indices: reshape(column, [productOf(column.shape)], [-1]), updates }] };
  }
  return { whole: gradient, rows: [] };
}

/** Whether a value is zeros repeated to some shape, as `zerosLike` makes. */
function isZeros(value: Value | undefined): boolean {
  const data = value?.node?.op === "Expand" ? value.node.inputs[0]?.data : undefined;
  return data?.every((item: number | bigint) => Number(item) === 0) ?? false;
}
