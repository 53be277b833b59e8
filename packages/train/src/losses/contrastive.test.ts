import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { cachedBackward } from "../gradient-caching.js";
import { createContrastiveLoss } from "./contrastive.js";
import type { Similarity } from "./similarities.js";

interface Reference {
  queries: number[];
  keys: number[];
  labels: number[];
  excluded: [number, number][];
  cases: Expected[];
  positives: [number, number][];
  several: Expected[];
}

interface Expected {
  similarity: Similarity;
  temperature: number;
  loss: number;
  queryGradients: number[];
  keyGradients: number[];
}

// Made by PyTorch: scripts/make-references.py.
const reference: Reference = JSON.parse(
  readFileSync(new URL("../fixtures/references.json", import.meta.url), "utf8"),
).contrastive;

const batch = {
  queries: Float32Array.from(reference.queries),
  keys: Float32Array.from(reference.keys),
  dimensions: 4,
  labels: reference.labels,
  excluded: reference.excluded,
};

function expectClose(actual: Float32Array, expected: readonly number[]): void {
  expect(actual).toHaveLength(expected.length);
  const largest = Math.max(...expected.map(Math.abs));
  expected.forEach((value, i) => {
    expect(Math.abs((actual[i] as number) - value) / largest).toBeLessThan(1e-5);
  });
}

describe.each(reference.cases)("contrastive loss, $similarity / $temperature", (expected) => {
  it("equals PyTorch's in value and gradients, with a shared passage and exclusions", async () => {
    const loss = await createContrastiveLoss({ dimensions: 4, ...expected });
    const result = await loss.run(batch);
    expect(result.loss).toBeCloseTo(expected.loss, 5);
    expectClose(result.queryGradients, expected.queryGradients);
    expectClose(result.keyGradients, expected.keyGradients);
    const together = await loss.runTogether(Float32Array.from([...batch.queries, ...batch.keys]), batch);
    expect(together.loss).toBe(result.loss);
    expect([...together.gradients]).toEqual([...result.queryGradients, ...result.keyGradients]);
    const half = await loss.run({ ...batch, scale: 0.5 });
    expect(half.loss).toBeCloseTo(expected.loss / 2, 5);
    await loss.close();
  });
});

describe.each(reference.several)("with several positives, $similarity / $temperature", (expected) => {
  const { positives } = reference;
  const run = async (more: object) => {
    const loss = await createContrastiveLoss({ dimensions: 4, ...expected });
    const result = await loss.run({ ...batch, ...more });
    await loss.close();
    return result;
  };

  it("equals PyTorch's in value and gradients", async () => {
    const result = await run({ positives });
    expect(result.loss).toBeCloseTo(expected.loss, 5);
    expectClose(result.queryGradients, expected.queryGradients);
    expectClose(result.keyGradients, expected.keyGradients);
  });

  it("is the same whether or not they are excluded too, and other than when they only are", async () => {
    const both = await run({ positives, excluded: [...batch.excluded, ...positives] });
    expect(both).toEqual(await run({ positives }));
    const masked = await run({ excluded: [...batch.excluded, ...positives] });
    expect(Math.abs(masked.loss - both.loss)).toBeGreaterThan(0.01);
    // A label named again is one positive, no second.
    expect(await run({ positives: [[1, batch.labels[1]]] })).toEqual(await run({}));
  });
});

it.each(["cosine", "dot"] as const)(
  "over several lengths it is the sum of the losses of vectors cut to them, %s",
  async (similarity) => {
    const how = { similarity, temperature: 0.2 };
    const loss = await createContrastiveLoss({ dimensions: 4, ...how, lengths: [4, 2, 1] });
    const whole = await loss.run(batch);
    const cut = (vectors: Float32Array, length: number): Float32Array => vectors.filter((_, i) => i % 4 < length);
    let sum = 0;
    const gradients = new Float32Array(batch.queries.length);
    for (const length of [4, 2, 1]) {
      const one = await createContrastiveLoss({ dimensions: length, ...how });
      const shorter = {
        ...batch,
        queries: cut(batch.queries, length),
        keys: cut(batch.keys, length),
        dimensions: length,
      };
      const result = await one.run(shorter);
      sum += result.loss;
      result.queryGradients.forEach((value, i) => {
        const at = Math.floor(i / length) * 4 + (i % length);
        gradients[at] = (gradients[at] as number) + value;
      });
      await one.close();
    }
    expect(whole.loss).toBeCloseTo(sum, 4);
    expectClose(whole.queryGradients, [...gradients]);
    await loss.close();
  },
);

it("an excluded passage is no negative: without exclusion the loss is larger", async () => {
  const loss = await createContrastiveLoss({ dimensions: 4, similarity: "dot", temperature: 1 });
  const { loss: with_ } = await loss.run(batch);
  const { loss: without } = await loss.run({ ...batch, excluded: [] });
  expect(without).toBeGreaterThan(with_ + 1e-4);
  await loss.close();
});

/** A linear "encoder" of 2 inputs to 4 dimensions, whose gradient is worked out here. */
function linearModel(): {
  weight: Float32Array;
  gradient: Float32Array;
  forward: (x: number[][]) => Promise<Float32Array>;
  backward: (x: number[][], d: Float32Array) => Promise<void>;
} {
  const weight = Float32Array.from([0.3, -0.2, 0.5, 0.1, -0.4, 0.2, 0.6, -0.1]);
  const gradient = new Float32Array(8);
  return {
    weight,
    gradient,
    async forward(x) {
      return Float32Array.from(
        x.flatMap((row) =>
          [0, 1, 2, 3].map(
            (d) => (row[0] as number) * (weight[d] as number) + (row[1] as number) * (weight[4 + d] as number),
          ),
        ),
      );
    },
    async backward(x, vectorGradients) {
      x.forEach((row, r) => {
        for (let i = 0; i < 8; i++) {
          gradient[i] =
            (gradient[i] as number) + (row[i >> 2] as number) * (vectorGradients[r * 4 + (i & 3)] as number);
        }
      });
    },
  };
}

describe("gradient caching", () => {
  const inputs = [
    [1, 2],
    [0.5, -1],
    [2, 0.3],
    [-1, 1],
    [0.2, 0.7],
    [1.5, -0.5],
  ];

  async function gradientWith(chunkSize: number): Promise<{ loss: number; gradient: Float32Array }> {
    const model = linearModel();
    const loss = await createContrastiveLoss({ dimensions: 4, similarity: "cosine", temperature: 0.1 });
    const order = [5, 0, 3, 1, 4, 2];
    const chunks = [];
    for (let start = 0; start < order.length; start += chunkSize) {
      const rows = order.slice(start, start + chunkSize);
      chunks.push({ rows, chunk: rows.map((row) => inputs[row] as number[]) });
    }
    const value = await cachedBackward(model, chunks, { total: 6, dimensions: 4 }, (vectors) =>
      loss.runTogether(vectors, { labels: [0, 1, 2] }),
    );
    await loss.close();
    return { loss: value, gradient: model.gradient };
  }

  it.each([1, 2, 4, 5])("in chunks of %i equals one chunk, whether or not it divides the batch", async (size) => {
    const whole = await gradientWith(6);
    const parts = await gradientWith(size);
    expect(Math.max(...whole.gradient.map(Math.abs))).toBeGreaterThan(0.01);
    expect(parts.loss).toBeCloseTo(whole.loss, 6);
    whole.gradient.forEach((value, i) => {
      expect(parts.gradient[i]).toBeCloseTo(value, 5);
    });
  });
});
