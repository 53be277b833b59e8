import { DataError } from "@rag-ft/core";
import { expect, it } from "vitest";
import { renamedWeights } from "./renamed-weights.js";

const renaming = {
  names: [[/\bold\b/, "layers"]],
  fused: [["Wqkv", ["q", "k"]]],
} as const;
const tensor = (shape: number[], ...values: number[]): { shape: number[]; data: Float32Array } => ({
  shape,
  data: Float32Array.from(values),
});

it("published names become the graph's, fused layers their parts; names of the graph stay", () => {
  const weights = new Map([
    ["old.0.Wqkv.weight", tensor([4, 2], 1, 2, 3, 4, 5, 6, 7, 8)],
    ["old.0.Wqkv.bias", tensor([4], 1, 2, 3, 4)],
    ["layers.1.q.weight", tensor([1, 1], 9)],
    ["older.weight", tensor([1], 3)],
  ]);
  expect(renamedWeights(weights, renaming)).toEqual(
    new Map([
      ["layers.0.q.weight", tensor([2, 2], 1, 2, 3, 4)],
      ["layers.0.k.weight", tensor([2, 2], 5, 6, 7, 8)],
      ["layers.0.q.bias", tensor([2], 1, 2)],
      ["layers.0.k.bias", tensor([2], 3, 4)],
      ["layers.1.q.weight", tensor([1, 1], 9)],
      ["older.weight", tensor([1], 3)],
    ]),
  );
});

it("refuses a fused layer that cannot be cut in equal parts", () => {
  const weights = new Map([["old.0.Wqkv.bias", tensor([3], 1, 2, 3)]]);
  expect(() => renamedWeights(weights, renaming)).toThrow(DataError);
  expect(() => renamedWeights(weights, renaming)).toThrow(/old\.0\.Wqkv\.bias has 3 rows, expected a multiple of 2/);
});
