import {
  add,
  constant,
  createSession,
  floatTensor,
  gather,
  gemm,
  input,
  intTensor,
  mul,
  orderNodes,
  reduceSum,
  type Value,
} from "@rag-ft/onnx";
import { expect, it } from "vitest";
import { accumulateGradient } from "./accumulate-gradient.js";
import { backward } from "./backward.js";

const ones = (shape: (string | number)[]): Value => input("ones", "float32", shape);

async function evaluate(
  total: Value,
  sum: Float32Array,
  others: Record<string, ReturnType<typeof floatTensor>>,
): Promise<number[]> {
  const session = await createSession({ outputs: { total } });
  // The same memory for the sum that goes in and the one that comes out, as in training.
  const held = { dtype: "float32" as const, shape: total.shape as number[], data: sum };
  await session.run({ sum: held, ...others }, { total: held });
  await session.close();
  return [...sum];
}

it("a product takes the sum as its addend, in place", async () => {
  const w = input("w", "float32", [2, 3]);
  const x = input("x", "float32", ["n", 2]);
  const [dw] = backward([[gemm(x, w), ones(["n", 3])]], [w]) as [Value];
  const total = accumulateGradient(input("sum", "float32", [2, 3]), dw);
  expect(orderNodes([total]).map((node) => node.op)).not.toContain("Add");
  const feeds = {
    x: floatTensor(Float32Array.of(1, 2, 3, 4), [2, 2]),
    ones: floatTensor(new Float32Array(6).fill(1), [2, 3]),
  };
  expect(await evaluate(total, Float32Array.of(10, 20, 30, 40, 50, 60), feeds)).toEqual([14, 24, 34, 46, 56, 66]);
});

it("a table used both by rows and as a matrix gets both parts, in place", async () => {
  const table = input("table", "float32", [3, 2]);
  const ids = input("ids", "int64", [2]);
  const x = input("x", "float32", [1, 2]);
  const looked = reduceSum(gather(table, ids), [0, 1]);
  const scores = reduceSum(gemm(x, table, undefined, { transB: true }), [0, 1]);
  const [gradient] = backward([[add(looked, scores), constant(1)]], [table]) as [Value];
  const total = accumulateGradient(input("sum", "float32", [3, 2]), gradient);
  expect(orderNodes([total]).filter((node) => node.op === "Add")).toHaveLength(0);
  const feeds = {
    x: floatTensor(Float32Array.of(5, 7), [1, 2]),
    ids: intTensor([2, 2], [2]),
    table: floatTensor(new Float32Array(6), [3, 2]),
  };
  expect(await evaluate(total, new Float32Array(6).fill(100), feeds)).toEqual([105, 107, 105, 107, 107, 109]);
});

it("anything else is added", async () => {
  const b = input("b", "float32", [2]);
  const [gradient] = backward([[mul(b, b), constant([1, 1])]], [b]) as [Value];
  const total = accumulateGradient(input("sum", "float32", [2]), gradient);
  expect(await evaluate(total, Float32Array.of(1, 1), { b: floatTensor(Float32Array.of(3, 4), [2]) })).toEqual([7, 9]);
});
