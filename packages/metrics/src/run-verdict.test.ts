import { describe, expect, it } from "vitest";
import { type CompareFigure, type RunFigures, runVerdict } from "./run-verdict.js";

const rouge: CompareFigure = {
  part: "answer",
  title: "ROUGE-L",
  base: 0.1,
  tuned: 0.3,
  interval: [0.15, 0.25],
  questions: 90,
};
const recall = (more: Partial<CompareFigure> = {}): CompareFigure => ({
  part: "search",
  title: "recall@4",
  base: 0.5,
  tuned: 0.6,
  interval: [0.02, 0.18],
  questions: 90,
  ...more,
});
const run = (more: Partial<RunFigures>): RunFigures => ({ figures: [], sources: 0, searches: [], ...more });
const searches = [
  { name: "vectors", recall: 0.6, used: true },
  { name: "BM25", recall: 0.55, used: false },
  { name: "vectors + 0.5 BM25", recall: 0.7, used: false },
];

describe("runVerdict", () => {
  it("says by which figure the fine-tuned system is better, and how sure that is", () => {
    const found = runVerdict(run({ figures: [rouge, recall()], sources: 15, searches }));
    expect(found?.verdict).toBe(
      "The fine-tuned system answers better than the base, beyond chance: ROUGE-L 0.100 to 0.300, +0.200 (95 % interval +0.15 to +0.25, 90 questions of 15 sources). " +
        "It finds more of the passages that answer, beyond chance: recall@4 0.500 to 0.600, +0.100 (95 % interval +0.02 to +0.18, 90 questions of 15 sources).",
    );
    expect(found?.best).toBe(
      "The fine-tuned retriever with the fine-tuned generator, searching by vectors + 0.5 BM25 (recall@4 0.700; vectors 0.600, BM25 0.550).",
    );
    expect(found?.next[0]).toMatch(/^Search holds answers back: the passage of 30 of 100 questions/);
    expect(found?.next[1]).toMatch(/^ROUGE-L compares words.*rag-ft review TEST-FOLDER/);
  });

  it("goes by a judge where there is one, and by the deepest recall", () => {
    const judged: CompareFigure = { ...rouge, part: "judge", title: "judged correct" };
    const found = runVerdict(run({ figures: [recall({ title: "recall@1" }), recall(), rouge, judged] }));
    expect(found?.verdict).toMatch(/beyond chance: judged correct .* recall@4 0\.500/);
    expect(found?.next.join()).not.toContain("compares words");
  });

  it("says how many questions would settle a difference: twice the width, four times as many", () => {
    const unsure = { ...rouge, tuned: 0.15, interval: [-0.05, 0.15] as const };
    const found = runVerdict(run({ figures: [unsure], sources: 3 }));
    expect(found?.verdict).toMatch(/^Whether the fine-tuned system answers better than the base is not settled/);
    expect(found?.next[0]).toMatch(/about 360 would, from more sources, here are 90/);
    // A difference of a hundredth of its interval's half is none.
    const none = runVerdict(run({ figures: [{ ...rouge, tuned: 0.101, interval: [-0.099, 0.101] }] }));
    expect(none?.next[0]).toMatch(/^No gain/);
  });

  it("keeps the base where nothing is gained, half by half", () => {
    const worse = { ...rouge, tuned: 0.05, interval: [-0.08, -0.02] as const };
    const found = runVerdict(run({ figures: [worse, recall()], searches }));
    expect(found?.verdict).toMatch(/^The fine-tuned system answers worse than the base, beyond chance/);
    expect(found?.best).toMatch(/^The fine-tuned retriever with the base generator, searching by/);
    expect(found?.next[0]).toMatch(/^No gain/);
    const both = runVerdict(run({ figures: [worse, recall({ tuned: 0.5, interval: [-0.1, 0.1] })], searches }));
    expect(both?.best).toBe("The base retriever with the base generator.");
  });

  it("sends to hybrid search where it beats the vectors beyond chance, and only where these were used", () => {
    const overDense = { gain: 0.1, low: 0.02, high: 0.18 };
    const step = (more: Partial<RunFigures>) =>
      runVerdict(run({ figures: [rouge, recall()], searches, overDense, ...more }))?.next[0];
    expect(step({})).toMatch(
      /^Search by vectors and words: .*\+0\.100, 95 % interval \+0\.02 to \+0\.18.*retrieval: hybrid/,
    );
    expect(step({ overDense: { ...overDense, low: -0.01 } })).not.toMatch(/^Search by vectors and words/);
    expect(step({ searches: searches.map((one) => ({ ...one, used: one.name.includes("+") })) })).not.toMatch(
      /^Search by vectors and words/,
    );
  });

  it("speaks of the retriever where nothing was answered, and of nothing where nothing was compared", () => {
    const alone = runVerdict(run({ figures: [recall({ part: "retriever" })] }));
    expect(alone?.verdict).toMatch(/^The fine-tuned retriever finds more of the passages that answer, beyond chance/);
    const unsure = runVerdict(run({ figures: [recall({ part: "retriever", interval: [-0.05, 0.25] })] }));
    expect(unsure?.verdict).toMatch(/^Whether the fine-tuned retriever finds more/);
    expect(runVerdict(run({}))).toBeUndefined();
  });

  it("tells of people's labels, and asks for none then", () => {
    const labelled = { correct: 7, answers: 12 };
    const found = runVerdict(run({ figures: [rouge], labelled, testFolder: "result/test" }));
    expect(found?.verdict).toContain("People found 7 of 12 of its labelled answers correct.");
    expect(found?.next.join()).not.toContain("review");
  });
});
