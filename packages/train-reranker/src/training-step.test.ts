import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createDocument, type Document, silentReporter } from "@rag-ft/core";
import { createTrainableScorer, loadScorer, readSafetensors } from "@rag-ft/models";
import { RERANKING_LOSSES, rerankingLoss } from "@rag-ft/train";
import { describe, expect, it } from "vitest";
import { composeGroups, type RankedGroup, rerankingStep } from "./training-step.js";

// References by PyTorch: scripts/make-loss-references.py.
const MODEL = fileURLToPath(new URL("../../models/src/fixtures/st-bert", import.meta.url));
const FIXTURES = fileURLToPath(new URL("./fixtures", import.meta.url));

/** As the model reads it: without title and source. */
const passage = (text: string): Document => ({ ...createDocument(text, { source: text }), fmt_content: text });
const PASSAGES = [
  "The timeout option takes milliseconds. ".repeat(4),
  "Buttons are blue.",
  "A long passage that says nothing of use, again and again. ".repeat(6),
].map(passage);
/** Those of packages/models' references; the first passage counts as the gold one. */
const GROUPS = ["How do I set a timeout?", "What is the default colour of a button?", "café"].map(
  (question): RankedGroup => ({ question, passages: PASSAGES }),
);
const signal = new AbortController().signal;

/** What is added up to a gradient is about 0.01 here, and of a listwise loss cancels nearly: what its rounding leaves. */
const ROUNDING = 1e-8;

/** Largest difference beyond rounding, as a share of the largest expected value. */
function relativeError(found: Float32Array | undefined, expected: Float32Array): number {
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const difference = Math.max(...expected.map((value, i) => Math.abs((found?.[i] ?? Number.NaN) - value)));
  return difference <= ROUNDING ? 0 : difference / largest;
}

describe("a step", () => {
  it.each(RERANKING_LOSSES)("has PyTorch's %s loss and gradients", async (kind) => {
    const reference = await readSafetensors(join(FIXTURES, `${kind}.safetensors`));
    const scorer = await loadScorer(MODEL, { env: {}, reporter: silentReporter });
    const model = await createTrainableScorer(scorer);
    const { loss } = await rerankingStep(model, kind, GROUPS, { scale: 1, signal });
    expect(loss).toBeCloseTo(reference.get("loss")?.data[0] as number, 5);
    reference.delete("loss");
    expect(reference.size).toBe(scorer.weights.size);
    for (const [key, { data }] of reference) {
      const gradient = model.gradients.get(key);
      // A key's bias shifts all scores of a query alike, and the last bias all logits, which a softmax does not see: zero but for rounding.
      const isZero = /key\.bias$/.test(key) || (kind === "listwise" && key === "classifier.bias");
      if (isZero) expect(Math.max(...(gradient ?? [1]).map(Math.abs))).toBeLessThan(1e-5);
      else expect(relativeError(gradient, data as Float32Array), key).toBeLessThan(1e-4);
    }
    await model.close();
  });
});

describe("the losses", () => {
  const logits = Float32Array.of(0.3, -0.2, 1.5, -0.7, 0.1);
  const sizes = [3, 2];

  it.each(RERANKING_LOSSES)("%s: gradients are those of the loss, and scale with it", (kind) => {
    const { gradients } = rerankingLoss(kind, { logits, sizes });
    gradients.forEach((gradient, i) => {
      const at = (by: number): number =>
        rerankingLoss(kind, { logits: logits.map((value, at) => (at === i ? value + by : value)), sizes }).loss;
      expect((at(1e-3) - at(-1e-3)) / 2e-3).toBeCloseTo(gradient, 3);
      expect(Math.abs(gradient)).toBeGreaterThan(0.01);
    });
    const half = rerankingLoss(kind, { logits, sizes, scale: 0.5 });
    expect(half.gradients).toEqual(gradients.map((value) => value / 2));
  });

  it("stay finite for logits that are sure", () => {
    for (const kind of RERANKING_LOSSES) {
      const sure = Float32Array.of(-300, 300, 300, -300);
      const { loss, gradients } = rerankingLoss(kind, { logits: sure, sizes: [2, 2] });
      expect(loss).toBeCloseTo(kind === "listwise" ? 300 : 150, 3);
      expect(gradients.every(Number.isFinite)).toBe(true);
    }
  });
});

it("negatives are drawn by the number of the batch alone, the gold passage comes first", () => {
  const [gold, ...others] = Array.from({ length: 9 }, (_, i) => passage(`passage ${i}`)) as [Document, ...Document[]];
  const batch = [{ question: "q", gold_docs: [gold], hard_neg_docs: others }];
  const settings = { num_negatives: 3, seed: 1 };
  const draw = (number: number): readonly Document[] => composeGroups(batch, settings, number)[0]?.passages ?? [];
  expect(draw(0)).toHaveLength(4);
  expect(draw(0)[0]).toBe(gold);
  expect(draw(0)).toEqual(draw(0));
  expect(draw(1)).not.toEqual(draw(0));
  expect(composeGroups(batch, { num_negatives: 20, seed: 1 }, 0)[0]?.passages).toHaveLength(9);
});
