import { expect, test } from "vitest";
import { mean } from "./mean.js";
import { documentRecall, ndcgAtK, recallAtK, reciprocalRank } from "./retrieval-metrics.js";

test("all gold passages must be found for a question to count, and each counts once", () => {
  expect(documentRecall(["a", "x", "b"], ["a", "b"], 2)).toBe(0);
  expect(documentRecall(["a", "x", "b"], ["a", "b"], 3)).toBe(1);
  expect(recallAtK(["a", "x", "b"], ["a", "b"], 2)).toBe(0.5);
  expect(recallAtK(["a", "a"], ["a", "b"], 2)).toBe(0.5);
});

test("without gold or without retrieved ids every figure is 0", () => {
  for (const [retrieved, gold] of [
    [["a"], []],
    [[], ["a"]],
  ] as [string[], string[]][]) {
    expect(documentRecall(retrieved, gold, 4)).toBe(0);
    expect(recallAtK(retrieved, gold, 4)).toBe(0);
    expect(reciprocalRank(retrieved, gold)).toBe(0);
    expect(ndcgAtK(retrieved, gold, 4)).toBe(0);
  }
});

test("nDCG with two gold passages at ranks 1 and 3 of 3", () => {
  // DCG = 1/log2(2) + 1/log2(4) = 1.5; best = 1/log2(2) + 1/log2(3) = 1.63093
  expect(ndcgAtK(["a", "x", "b"], ["a", "b"], 3)).toBeCloseTo(1.5 / (1 + 1 / Math.log2(3)), 12);
  // A passage listed again is worth nothing the second time.
  expect(ndcgAtK(["a", "a", "b"], ["a", "b"], 3)).toBeCloseTo(1.5 / (1 + 1 / Math.log2(3)), 12);
});

test("the mean of nothing is not a number", () => {
  expect(mean([1, 2, 6])).toBe(3);
  expect(mean([])).toBeNaN();
});
