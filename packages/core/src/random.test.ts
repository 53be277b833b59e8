import { describe, expect, it } from "vitest";
import { createRandom } from "./random.js";

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
