import { createRandom } from "@rag-ft/core";
import { describe, expect, test } from "vitest";
import { bootstrapInterval, bootstrapStatistic } from "./bootstrap.js";
import { cohensKappa } from "./cohens-kappa.js";
import { estimateFigures, flatEstimates } from "./estimate-figures.js";
import { estimateMean } from "./estimate-mean.js";
import { pairedDifference, pairedShareInterval } from "./paired-difference.js";
import { permutationTest } from "./paired-tests.js";

const draw = createRandom(3);
const values = Array.from({ length: 90 }, () => draw.next() ** 2);

describe("an interval of a mean", () => {
  test("is the same for the same seed, and hardly another for another", () => {
    const first = bootstrapInterval(values, { seed: 1 });
    expect(bootstrapInterval(values, { seed: 1 })).toEqual(first);
    const other = bootstrapInterval(values, { seed: 2 });
    expect(other).not.toEqual(first);
    expect(Math.abs(other.low - first.low)).toBeLessThan(0.005);
    expect(Math.abs(other.high - first.high)).toBeLessThan(0.005);
  });

  test("is near Student's t for 90 values that are not far from symmetric", () => {
    const m = values.reduce((sum, value) => sum + value, 0) / 90;
    const sd = Math.sqrt(values.reduce((sum, value) => sum + (value - m) ** 2, 0) / 89);
    const half = (1.987 * sd) / Math.sqrt(90);
    const { low, high } = bootstrapInterval(values);
    expect(Math.abs(low - (m - half))).toBeLessThan(0.2 * half);
    expect(Math.abs(high - (m + half))).toBeLessThan(0.2 * half);
  });

  test("stays within the values, however few", () => {
    expect(bootstrapInterval([0.2, 0.6])).toEqual({ low: 0.2, high: 0.6 });
  });

  test("of one value or none is not known; a figure that is not a number is refused", () => {
    expect(bootstrapInterval([0.5]).low).toBeNaN();
    expect(estimateMean([])).toMatchObject({ n: 0, mean: Number.NaN, low: Number.NaN });
    expect(() => bootstrapInterval([0.1, Number.NaN])).toThrow(/value 2/);
  });

  test("is Wilson's for rights and wrongs, and has a width even when all are right", () => {
    const all = estimateMean(new Array(75).fill(1));
    expect(all).toMatchObject({ mean: 1, high: 1, method: "wilson", n: 75 });
    expect(all.low).toBeLessThan(0.96);
    // 60 % of 75 questions.
    const sixty = estimateMean([...new Array(45).fill(1), ...new Array(30).fill(0)]);
    expect(sixty.low).toBeCloseTo(0.487, 3);
    expect(sixty.high).toBeCloseTo(0.703, 3);
    expect(estimateMean([0, 1, 0.5]).method).toBe("bootstrap");
  });
});

test("the bootstrap of any statistic equals that of the mean, when it is the mean", () => {
  const meanOf = (rows: Int32Array): number =>
    rows.reduce((sum, row) => sum + (values[row] as number), 0) / rows.length;
  const { low, high } = bootstrapStatistic(values.length, meanOf, { seed: 5, resamples: 1000 });
  const direct = bootstrapInterval(values, { seed: 5, resamples: 1000 });
  expect(low).toBeCloseTo(direct.low, 12);
  expect(high).toBeCloseTo(direct.high, 12);
});

describe("two runs over the same questions", () => {
  test("right and wrong: McNemar's exact test, by hand", () => {
    // 5 wins, no loss: 2 / 2^5.
    const result = pairedDifference([0, 0, 0, 0, 0, 1, 1], [1, 1, 1, 1, 1, 1, 1]);
    expect(result).toMatchObject({ wins: 5, losses: 0, ties: 2, n: 7, test: "mcnemar" });
    expect(result.p_value).toBeCloseTo(2 / 32, 12);
    expect(result.difference).toBeCloseTo(5 / 7, 12);
    expect(result.low).toBeLessThan(result.difference);
    expect(result.high).toBeGreaterThan(result.low);
  });

  test("equal runs differ by 0 with certainty 1, and the interval of shares still has a width", () => {
    const same = pairedDifference([1, 0, 1], [1, 0, 1]);
    expect(same).toMatchObject({ difference: 0, p_value: 1, ties: 3 });
    expect(same.high - same.low).toBeGreaterThan(0.1);
    expect(pairedDifference([0.5, 0.2], [0.5, 0.2])).toMatchObject({
      p_value: 1,
      low: 0,
      high: 0,
      test: "permutation",
    });
  });

  test("a shift of all figures is found, and turned around when the runs are", () => {
    const shifted = values.map((value, i) => value + (i % 3 === 0 ? -0.02 : 0.06));
    const forth = pairedDifference(values, shifted);
    const back = pairedDifference(shifted, values);
    expect(forth.low).toBeGreaterThan(0);
    expect(forth.p_value).toBeLessThan(0.001);
    expect(back.difference).toBeCloseTo(-forth.difference, 12);
    expect(back.p_value).toBe(forth.p_value);
    expect([back.wins, back.losses]).toEqual([forth.losses, forth.wins]);
  });

  test("lists of different length are refused", () => {
    expect(() => pairedDifference([1], [1, 0])).toThrow(/1 figures against 2/);
  });

  test("sampled signs are near the exact share", () => {
    const differences = values.slice(0, 16).map((value, i) => (i % 3 === 0 ? -value : value));
    const exact = permutationTest(differences);
    // A difference too small to matter makes the list too long for going through all signs.
    const sampled = permutationTest([...differences, 1e-9]);
    expect(exact).toBeGreaterThan(0.01);
    expect(Math.abs(sampled - exact)).toBeLessThan(0.02);
  });

  test("no question, no interval", () => {
    expect(pairedShareInterval(0, 0, 0).low).toBeNaN();
  });
});

test("figures of rows: each over the rows that have it, flat as score.json holds them", () => {
  const estimates = estimateFigures([{ f1: 0.5, acc: 1 }, { f1: 0.25 }, { f1: 0.75, acc: 0, once: 0.5 }]);
  expect(Object.keys(estimates)).toEqual(["f1", "acc", "once"]);
  expect(estimates.acc).toMatchObject({ mean: 0.5, n: 2, method: "wilson" });
  const flat = flatEstimates(estimates);
  expect(flat).toMatchObject({ f1: 0.5, acc: 0.5, once: 0.5, f1_ci95: [estimates.f1?.low, estimates.f1?.high] });
  // A single value says nothing of its spread.
  expect(flat).not.toHaveProperty("once_ci95");
});

test("kappa: agreement beyond chance, with its interval", () => {
  const a = Array.from({ length: 60 }, (_, i) => i % 2 === 0);
  const b = a.map((label, i) => (i % 10 === 0 ? !label : label));
  const { kappa, observed, expected, low, high } = cohensKappa(a, b);
  expect(observed).toBeCloseTo(0.9, 12);
  expect(expected).toBeCloseTo(0.5, 12);
  expect(kappa).toBeCloseTo(0.8, 12);
  expect(low).toBeGreaterThan(0.5);
  expect(low).toBeLessThan(0.8);
  expect(high).toBeLessThanOrEqual(1);
  expect(cohensKappa(["yes", "yes"], ["yes", "yes"]).kappa).toBeNaN();
  expect(() => cohensKappa(["yes"], [])).toThrow(/1 labels against 0/);
});
