import { describe, expect, it } from "vitest";
import { type Candidate, choose, describeChoice } from "./choice.js";

const METRIC = "eval_retr/document_recall/recall4";

/** A model that finds the first `found` of 40 questions. */
function candidate(step: number, found: number, alpha?: number): Candidate {
  const values = Array.from({ length: 40 }, (_, i) => (i < found ? 1 : 0));
  return { step, ...(alpha === undefined ? {} : { alpha }), figures: { [METRIC]: found / 40 }, values };
}

describe("choose", () => {
  const better = { metric: METRIC, greaterIsBetter: true, keepBaseUnless: "better" } as const;
  const significant = { metric: METRIC, greaterIsBetter: true, keepBaseUnless: "significant" } as const;
  const base = candidate(0, 20);

  it("keeps the base unless another is above it, and says what may help", () => {
    for (const others of [[], [candidate(9, 20)], [candidate(9, 12), candidate(9, 19, 0.5)]]) {
      const { kept, difference, verdict } = choose(base, others, better);
      expect(kept).toBe(base);
      expect(difference).toBeUndefined();
      expect(verdict).toMatch(
        /^No checkpoint beat the base: recall@4 .* 0\.500 .*The base is kept\. More questions may help/,
      );
    }
    expect(choose(base, [candidate(9, 12), candidate(9, 19, 0.5)], better).verdict).toContain(
      "the best after training is 0.475, step 9 at alpha 0.5",
    );
  });

  it("of equals the first: the checkpoint before what is mixed of it", () => {
    const { kept } = choose(base, [candidate(9, 30), candidate(9, 30, 0.5), candidate(9, 29, 0.25)], better);
    expect(kept).toMatchObject({ step: 9, figures: { [METRIC]: 0.75 } });
    expect(kept.alpha).toBeUndefined();
  });

  it("a small gain may be chance: it is kept with that said, or not, as asked", () => {
    // 2 wins, no loss: McNemar's p is 0.5, Bonett and Price's interval of the gain reaches below 0.
    const kept = choose(base, [candidate(9, 22)], better);
    expect(kept.kept.step).toBe(9);
    expect(kept.verdict).toMatch(
      /does not beat the base beyond chance: recall@4 0\.500 to 0\.550 on 40 eval questions, difference \+0\.050/,
    );
    expect(kept.difference?.low).toBeLessThan(0);
    expect(kept.difference).toMatchObject({ wins: 2, losses: 0, questions: 40 });
    const other = choose(base, [candidate(9, 22)], significant);
    expect(other.kept).toBe(base);
    expect(other.verdict).toMatch(/The base is kept; step 9 stays in its folder\. More questions/);
  });

  it("a large gain is beyond chance for both", () => {
    for (const options of [better, significant]) {
      const { kept, verdict, difference } = choose(base, [candidate(9, 34, 0.5), candidate(9, 30)], options);
      expect(kept).toMatchObject({ step: 9, alpha: 0.5 });
      expect(difference?.low).toBeGreaterThan(0);
      expect(verdict).toMatch(/^Step 9 at alpha 0\.5 beats the base beyond chance: recall@4 0\.500 to 0\.850/);
    }
  });

  it("one question gives no interval, in the verdict and in the file", () => {
    const one = (step: number, mrr: number): Candidate => ({ step, figures: { mrr }, values: [mrr] });
    const { difference, verdict } = choose(one(0, 0.25), [one(9, 0.5)], { ...better, metric: "mrr" });
    expect(difference).toEqual({ mean: 0.25, wins: 1, losses: 0, questions: 1 });
    expect(verdict).toContain("difference +0.250, no interval of a single question.");
  });

  it("of losses the lower one is better", () => {
    const losses = (step: number, loss: number, spread: number): Candidate => {
      const values = Array.from({ length: 40 }, (_, i) => loss + (i % 2 ? spread : -spread));
      return { step, figures: { eval_loss: loss }, values };
    };
    const options = { metric: "eval_loss", greaterIsBetter: false, keepBaseUnless: "significant" } as const;
    const before = losses(0, 2, 0.1);
    expect(choose(before, [losses(9, 2.1, 0.1)], options).verdict).toMatch(
      /^No checkpoint beat the base: loss .* 2\.000/,
    );
    const clear = choose(before, [losses(9, 1.5, 0.2), losses(9, 1.4, 0.2)], options);
    expect(clear.kept.figures.eval_loss).toBe(1.4);
    expect(clear.verdict).toMatch(/^Step 9 beats the base beyond chance: loss 2\.000 to 1\.400 .* difference -0\.600/);
    const chance = choose(before, [losses(9, 1.99, 1)], options);
    expect(chance.kept).toBe(before);
    expect(chance.verdict).toContain("does not beat the base beyond chance");
  });

  it("a file of the choice names the candidates with their figures", () => {
    const choice = choose(base, [candidate(9, 30), candidate(9, 34, 0.5)], better);
    expect(describeChoice(choice, METRIC)).toMatchObject({
      metric: METRIC,
      kept: { step: 9, alpha: 0.5 },
      candidates: [
        { step: 9, figures: { [METRIC]: 0.75 } },
        { step: 9, alpha: 0.5 },
      ],
      difference: { wins: 14 },
    });
  });
});
