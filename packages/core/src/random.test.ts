import { describe, expect, it } from "vitest";
import { createRandom, deriveSeed } from "./random.js";

describe("createRandom", () => {
  it("gives one sequence a seed, the same on every machine", () => {
    const random = createRandom(42);
    // mulberry32's sequence for seed 42, as other implementations of it give.
    const expected = [0.6011037519201636, 0.44829055899754167, 0.8524657934904099];
    for (const value of expected) expect(random.next()).toBeCloseTo(value, 12);
    expect(createRandom(43).next()).not.toBe(createRandom(42).next());
  });

  it("draws evenly", () => {
    const random = createRandom(1);
    const counts = new Array<number>(10).fill(0);
    for (let i = 0; i < 10_000; i++) {
      const drawn = random.integer(10);
      counts[drawn] = (counts[drawn] ?? 0) + 1;
    }
    // Four standard deviations of a binomial with n = 10,000 and p = 0.1.
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(120);
    expect(counts.length).toBe(10);
  });

  it("shuffles a copy: the same items in another order", () => {
    const items = Array.from({ length: 50 }, (_, i) => i);
    const shuffled = createRandom(7).shuffle(items);
    expect(items).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect(shuffled).not.toEqual(items);
    expect([...shuffled].sort((a, b) => a - b)).toEqual(items);
    expect(createRandom(7).shuffle(items)).toEqual(shuffled);
  });

  it("samples without repetition, all when fewer are there", () => {
    const sample = createRandom(3).sample([1, 2, 3, 4, 5], 3);
    expect(new Set(sample).size).toBe(3);
    expect(createRandom(3).sample([1, 2], 5).sort()).toEqual([1, 2]);
  });
});

describe("deriveSeed", () => {
  it("gives each part a seed of its own, the same every time", () => {
    const seeds = [0, 1, 42].flatMap((seed) =>
      Array.from({ length: 1000 }, (_, i) => [deriveSeed(seed, 0, i), deriveSeed(seed, 1, i)]).flat(),
    );
    expect(new Set(seeds).size).toBe(seeds.length);
    expect(deriveSeed(42, 0, 7)).toBe(deriveSeed(42, 0, 7));
    expect(deriveSeed(42, 7, 0)).not.toBe(deriveSeed(42, 0, 7));
  });

  it("gives neighbouring parts unrelated sequences", () => {
    const first = Array.from({ length: 4000 }, (_, i) => createRandom(deriveSeed(5, i)).next());
    const mean = first.reduce((a, b) => a + b) / first.length;
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.02); // four standard deviations
    const covariance = first.slice(1).reduce((sum, x, i) => sum + (x - mean) * ((first[i] as number) - mean), 0);
    expect(Math.abs(covariance / first.length) * 12).toBeLessThan(0.07); // correlation, four standard deviations
  });
});
