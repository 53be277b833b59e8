import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { createDistillationLoss, type DistillationLossKind, type TeacherList } from "./distillation.js";
import type { Similarity } from "./similarities.js";

interface Reference {
  queries: number[];
  keys: number[];
  lists: TeacherList[];
  cases: {
    kind: DistillationLossKind;
    similarity: Similarity;
    studentTemperature: number;
    teacherTemperature: number;
    loss: number;
    queryGradients: number[];
    keyGradients: number[];
  }[];
}

// Made by PyTorch: scripts/make-references.py.
const reference: Reference = JSON.parse(
  readFileSync(new URL("../fixtures/references.json", import.meta.url), "utf8"),
).distillation;

const batch = {
  queries: Float32Array.from(reference.queries),
  keys: Float32Array.from(reference.keys),
  lists: reference.lists,
};

/** Largest difference, as a share of the largest expected value. */
function relativeError(found: Float32Array, expected: readonly number[]): number {
  expect(found).toHaveLength(expected.length);
  const largest = Math.max(...expected.map(Math.abs));
  return Math.max(...expected.map((value, i) => Math.abs((found[i] as number) - value))) / largest;
}

describe.each(reference.cases)(
  "$kind, $similarity / $studentTemperature, teacher / $teacherTemperature",
  (expected) => {
    it("equals PyTorch's in value and gradients, for lists of several lengths", async () => {
      const loss = await createDistillationLoss({ dimensions: 4, ...expected });
      const result = await loss.run(batch);
      expect(Math.abs(result.loss - expected.loss) / expected.loss).toBeLessThan(1e-5);
      expect(relativeError(result.queryGradients, expected.queryGradients)).toBeLessThan(1e-5);
      expect(relativeError(result.keyGradients, expected.keyGradients)).toBeLessThan(1e-5);
      // The third question's list has the gold passage alone, which teaches nothing.
      expect(result.queryGradients.slice(8).every((value) => value === 0)).toBe(true);
      const half = await loss.run({ ...batch, scale: 0.5 });
      expect(half.loss).toBeCloseTo(expected.loss / 2, 4);
      expect(
        relativeError(
          half.keyGradients,
          [...result.keyGradients].map((value) => value / 2),
        ),
      ).toBeLessThan(1e-6);
      await loss.close();
    });

    it("over several lengths it is the sum of the losses of vectors cut to them", async () => {
      const whole = await createDistillationLoss({ ...expected, dimensions: 4, lengths: [4, 2] });
      const cut = (vectors: Float32Array): Float32Array => vectors.filter((_, i) => i % 4 < 2);
      const short = await createDistillationLoss({ ...expected, dimensions: 2 });
      const { loss } = await short.run({ ...batch, queries: cut(batch.queries), keys: cut(batch.keys) });
      expect((await whole.run(batch)).loss / (loss + expected.loss)).toBeCloseTo(1, 5);
      await whole.close();
      await short.close();
    });
  },
);

it.each(["kl", "margin_mse"] as const)("%s is 0 for a retriever that scores as its teacher does", async (kind) => {
  const loss = await createDistillationLoss({
    kind,
    dimensions: 2,
    similarity: "dot",
    studentTemperature: 1,
    teacherTemperature: 4,
  });
  const keys = Float32Array.of(1, 0, 0, 1, 2, 3);
  // Inner products with (3, 5) and a shift, which neither loss sees, times the temperature.
  const lists = [{ keys: [0, 1, 2], scores: [3, 5, 21].map((score) => 4 * (score + 7)) }];
  const result = await loss.run({ queries: Float32Array.of(3, 5), keys, lists });
  expect(Math.abs(result.loss)).toBeLessThan(1e-6);
  expect(Math.max(...result.keyGradients.map(Math.abs))).toBeLessThan(1e-5);
  // Sure teachers stay finite.
  const sure = await loss.run({
    queries: Float32Array.of(3, 5),
    keys,
    lists: [{ keys: [0, 1, 2], scores: [-4e3, 4e3, 0] }],
  });
  expect(Number.isFinite(sure.loss)).toBe(true);
  expect([...sure.keyGradients].every(Number.isFinite)).toBe(true);
  await loss.close();
});
