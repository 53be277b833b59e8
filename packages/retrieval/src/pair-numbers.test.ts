import { createRandom } from "@rag-ft/core";
import { expect, test } from "vitest";
import { PairNumbers } from "./pair-numbers.js";

test("numbers pairs in the order they come, many of them, large ones too", () => {
  const random = createRandom(1);
  const pairs = Array.from({ length: 20_000 }, () => [random.integer(200), random.integer(200)] as const);
  pairs.push([2 ** 26 - 1, 0], [0, 2 ** 26 - 1], [2 ** 26 - 1, 2 ** 26 - 1], [0, 0]);
  const expected = new Map<string, number>();
  const numbers = new PairNumbers();
  for (const [left, right] of pairs) {
    const key = `${left} ${right}`;
    if (!expected.has(key)) expected.set(key, expected.size);
    expect(numbers.add(left, right)).toBe(expected.get(key));
  }
  expect(numbers.size).toBe(expected.size);
  for (const [left, right] of pairs) expect(numbers.find(left, right)).toBe(expected.get(`${left} ${right}`));
});

test("finds nothing that was not added", () => {
  const numbers = new PairNumbers();
  numbers.add(1, 2);
  expect([numbers.find(2, 1), numbers.find(-1, 2), numbers.find(1, -1)]).toEqual([-1, -1, -1]);
});
