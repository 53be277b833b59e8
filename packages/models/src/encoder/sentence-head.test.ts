import { createSession, floatTensor, input, intTensor } from "@rag-ft/onnx";
import { describe, expect, it } from "vitest";
import { Parameters } from "../graph/parameters.js";
import { poolingWeights } from "./pooling.js";
import { type SentenceHead, textVectors, withHead } from "./sentence-head.js";

/** Vectors of two texts of two tokens, the second padded, whose hidden states are these. */
async function vectors(head: SentenceHead, weights: Record<string, number[]> = {}): Promise<number[]> {
  const parameters = new Parameters();
  const hidden = input("hidden", "float32", ["batch", "tokens", 3]);
  const [ids, mask] = [input("ids", "int64", ["batch", "tokens"]), input("mask", "int64", ["batch", "tokens"])];
  const graph = withHead({ dimensions: 3, maxTokens: 2, hiddenStates: () => hidden }, head);
  const outputs = { made: textVectors(graph, parameters, { ids, mask }) };
  const data = new Map(Object.entries(weights).map(([name, values]) => [name, { data: Float32Array.from(values) }]));
  const session = await createSession({ outputs, weights: data });
  const { made } = await session.run({
    hidden: floatTensor(Float32Array.of(1, 2, 3, 5, 0, -1, -4, -5, -6, 9, 9, 9), [2, 2, 3]),
    mask: intTensor([1, 1, 1, 0], [2, 2]),
    pool: floatTensor(Float32Array.of(0.5, 0.5, 1, 0), [2, 1, 2]),
  });
  await session.close();
  return Array.from(made?.data ?? [], Number);
}

describe("a sentence's vector", () => {
  it("is a weighted sum, or the largest entries of its tokens", async () => {
    expect(await vectors({})).toEqual([3, 1, 1, -4, -5, -6]);
    expect(await vectors({ max: true })).toEqual([5, 2, 3, -4, -5, -6]);
  });

  it("goes through dense layers, and is cut", async () => {
    const dense = [{ folder: "2_Dense", inputs: 3, outputs: 2, bias: true, activation: "relu" as const }];
    const weights = { "2_Dense.linear.weight": [1, 0, 0, 0, -1, 1], "2_Dense.linear.bias": [1, 0.5] };
    expect(await vectors({ dense }, weights)).toEqual([4, 0.5, 0, 0]);
    expect(await vectors({ dense, truncate: 1 }, weights)).toEqual([4, 0]);
    expect(withHead({ dimensions: 3, maxTokens: 2, hiddenStates: (_, { ids }) => ids }, { dense }).dimensions).toBe(2);
  });

  it("takes each token's share from the pooling", () => {
    expect([...poolingWeights("mean", 4)]).toEqual([0.25, 0.25, 0.25, 0.25]);
    expect([...poolingWeights("cls", 3)]).toEqual([1, 0, 0]);
    expect([...poolingWeights("lasttoken", 3)]).toEqual([0, 0, 1]);
    expect([...poolingWeights("weightedmean", 2)]).toEqual([Math.fround(1 / 3), Math.fround(2 / 3)]);
  });
});
