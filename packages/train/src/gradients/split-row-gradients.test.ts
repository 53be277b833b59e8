import { add, constant, gather, gemm, input, mul, orderNodes, reduceSum, type Value } from "@rag-ft/onnx";
import { expect, it } from "vitest";
import { backward } from "./backward.js";
import { splitRowGradients } from "./split-row-gradients.js";

const table = input("table", "float32", [3, 2]);
const ids = input("ids", "int64", [2]);
const looked = reduceSum(gather(table, ids), [0, 1]);

it("a table that is only looked up has rows and no tensor of its size", () => {
  const [gradient] = backward([[looked, constant(1)]], [table]) as [Value];
  const { whole, rows } = splitRowGradients(gradient);
  expect(whole).toBeUndefined();
  expect(rows).toHaveLength(1);
  const made = orderNodes(rows.flatMap(({ indices, updates }) => [indices, updates]));
  expect(made.map(({ op }) => op)).not.toContain("ScatterElements");
});

it("a table used both by rows and as a matrix has both parts", () => {
  const scores = reduceSum(gemm(input("x", "float32", [1, 2]), table, undefined, { transB: true }), [0, 1]);
  const [gradient] = backward([[add(looked, scores), constant(1)]], [table]) as [Value];
  const { whole, rows } = splitRowGradients(gradient);
  expect(whole?.node?.op).toBe("Gemm");
  expect(rows).toHaveLength(1);
});

it("anything else is whole", () => {
  const b = input("b", "float32", [2]);
  const [gradient] = backward([[mul(b, b), constant([1, 1])]], [b]) as [Value];
  expect(splitRowGradients(gradient)).toEqual({ whole: gradient, rows: [] });
});
