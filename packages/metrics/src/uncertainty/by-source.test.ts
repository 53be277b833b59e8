import { createRandom } from "@rag-ft/core";
import { describe, expect, it } from "vitest";
import { bootstrapInterval } from "./bootstrap.js";
import { estimateFigures, flatEstimates, intervalNote } from "./estimate-figures.js";
import { estimateMean } from "./estimate-mean.js";
import { pairedDifference, pairedShareInterval } from "./paired-difference.js";
import { wilsonInterval } from "./wilson-interval.js";

const names = (count: number, each: number): string[] =>
  Array.from({ length: count * each }, (_, i) => `source ${Math.floor(i / each)}`);
const width = ({ low, high }: { low: number; high: number }): number => high - low;

describe("questions of shared sources", () => {
  // All four questions of a source go alike: 20 sources tell as much as 20 questions.
  const alike = Array.from({ length: 80 }, (_, i) => (Math.floor(i / 4) % 5) / 4);
  const single = alike.filter((_, i) => i % 4 === 0);

  it("questions that only repeat their source have the interval of one question a source", () => {
    const sources = names(20, 4);
    expect(bootstrapInterval(alike, { sources, seed: 3 })).toEqual(bootstrapInterval(single, { seed: 3 }));
    expect(width(bootstrapInterval(alike, { sources }))).toBeGreaterThan(1.8 * width(bootstrapInterval(alike)));
  });

  it("with all sources distinct, one source, or none known, all is as without sources", () => {
    const b = alike.map((value, i) => (i % 3 === 0 ? value : 1 - value));
    for (const sources of [names(80, 1), names(1, 80)]) {
      expect(estimateMean(alike, { sources })).toEqual(estimateMean(alike));
      expect(pairedDifference(alike, b, { sources })).toEqual(pairedDifference(alike, b));
    }
  });

  it("shares are by source too, and of width above 0 where all are right or nothing differs", () => {
    const sources = names(20, 4);
    const right = alike.map((value) => Number(value > 0.4));
    const estimate = estimateMean(right, { sources });
    expect(estimate).toMatchObject({ mean: 0.6, n: 80, method: "bootstrap", sources: 20 });
    expect(width(estimate)).toBeGreaterThan(1.5 * width(estimateMean(right)));
    const all = estimateMean(
      right.map(() => 1),
      { sources },
    );
    expect(all).toEqual({ ...estimateMean(Array.from({ length: 20 }, () => 1)), n: 80, sources: 20 });
    expect(width(pairedDifference(right, right, { sources }))).toBeGreaterThan(0.1);
  });

  it("a source has one sign in the permutations: four questions of one are no four wins", () => {
    const gain = Array.from({ length: 24 }, () => 1);
    const zero = gain.map(() => 0);
    const found = pairedDifference(zero, gain, { sources: names(6, 4) });
    expect(found).toMatchObject({ wins: 24, test: "permutation", sources: 6, p_value: 2 / 2 ** 6 });
    expect(pairedDifference(zero, gain).p_value).toBeLessThan(1e-6);
  });

  it("of two sources, an interval ends where the figure does: at 0, and a share at 1", () => {
    const rows = [0.9, 0.8, 0.1, 0.2].map((rougeL) => ({
      "test_gen/rougeL": rougeL,
      "test_gen/answer_length": 10 * rougeL,
    }));
    const estimates = estimateFigures(rows, { sources: names(2, 2), seed: 0 });
    expect(estimates["test_gen/rougeL"]).toMatchObject({ low: 0, high: 1 });
    expect(estimates["test_gen/answer_length"]?.low).toBe(0);
    expect(estimates["test_gen/answer_length"]?.high).toBeGreaterThan(10);
  });

  it("a figure that some questions lack keeps their sources apart; files and tables say so", () => {
    const rows = alike.map((f1, i): Record<string, number> => (i % 2 ? { f1 } : { f1, judged: f1 }));
    const estimates = estimateFigures(rows, { sources: names(20, 4), seed: 0 });
    expect(estimates.judged).toMatchObject({ n: 40, sources: 20 });
    expect(flatEstimates(estimates)).toMatchObject({ ci95_by_source: 20 });
    expect(intervalNote(estimates)).toBe("95 % intervals by source (20 sources)");
    const plain = estimateFigures(rows, { seed: 0 });
    expect(flatEstimates(plain)).not.toHaveProperty("ci95_by_source");
    expect(intervalNote(plain)).toBe("95 % intervals");
  });

  it("holds the true mean 95 times of 100 by source, and far less often without", () => {
    const random = createRandom(7);
    const [rounds, sources] = [300, names(40, 5)];
    let [by, without] = [0, 0];
    for (let round = 0; round < rounds; round++) {
      const good = Array.from({ length: 40 }, () => random.next());
      const values = sources.map((_, i) => (good[Math.floor(i / 5)] as number) * 0.8 + 0.2 * random.next());
      const holds = ({ low, high }: { low: number; high: number }): number => Number(low <= 0.5 && 0.5 <= high);
      by += holds(bootstrapInterval(values, { sources, seed: round, resamples: 400 }));
      without += holds(bootstrapInterval(values, { seed: round, resamples: 400 }));
    }
    expect(by / rounds).toBeGreaterThan(0.91);
    expect(without / rounds).toBeLessThan(0.75);
  });

  it("of few sources, Student's t: two sources say little, whatever their questions", () => {
    // Sums 5 and 1 of 5 each: residuals 2 and -2, so the standard error is sqrt(2 / 1 · 8) / 10 = 0.4; t of one degree is 12.706.
    const values = [1, 1, 1, 1, 1, 1, 0, 0, 0, 0];
    const { low, high } = bootstrapInterval(values, { sources: names(2, 5) });
    expect([low, high]).toEqual([expect.closeTo(0.6 - 5.0825, 3), expect.closeTo(0.6 + 5.0825, 3)]);
    // A share has ends, and so has the difference of two.
    expect(estimateMean(values, { sources: names(2, 5) })).toMatchObject({ low: 0, high: 1, sources: 2 });
    const none = values.map(() => 0);
    expect(pairedDifference(none, values, { sources: names(2, 5) })).toMatchObject({ low: -1, high: 1, p_value: 0.5 });
    // Of eight sources on, the bootstrap's.
    const eight = Array.from({ length: 16 }, (_, i) => Math.sin(i + 1) ** 2);
    expect(bootstrapInterval(eight, { sources: names(8, 2), seed: 1 })).not.toEqual(
      bootstrapInterval(eight, { sources: names(8, 2), seed: 2 }),
    );
  });

  it("no interval is without width where all sources happen to be alike", () => {
    const half = Array.from({ length: 12 }, (_, i) => i % 2);
    const wilson = wilsonInterval(3, 6);
    expect(estimateMean(half, { sources: names(6, 2) })).toMatchObject({ ...wilson, method: "wilson", sources: 6 });
    const zero = half.map(() => 0);
    expect(pairedDifference(zero, half, { sources: names(6, 2) })).toMatchObject(pairedShareInterval(3, 0, 6));
    const ranks = half.map((value) => 0.25 + value / 2);
    expect(bootstrapInterval(ranks, { sources: names(6, 2), seed: 1 })).toEqual(bootstrapInterval(ranks, { seed: 1 }));
  });

  it("of few sources, intervals of 95 % hold the mean in about as many cases", () => {
    const random = createRandom(11);
    for (const count of [2, 4, 7]) {
      const [rounds, sources] = [400, names(count, 5)];
      let held = 0;
      for (let round = 0; round < rounds; round++) {
        const good = Array.from({ length: count }, () => random.next());
        const values = sources.map((_, i) => 0.5 * (good[Math.floor(i / 5)] as number) + 0.5 * random.next());
        const { low, high } = bootstrapInterval(values, { sources });
        if (low <= 0.5 && 0.5 <= high) held++;
      }
      expect(held / rounds).toBeGreaterThan(0.9);
      expect(held / rounds).toBeLessThan(0.99);
    }
  });
});
