import { createRandom } from "@rag-ft/core";
import { describe, expect, test } from "vitest";
import { ExactIndex } from "./exact-index.js";

function randomVectors(count: number, dimensions: number, seed: number): Float32Array {
  const random = createRandom(seed);
  return Float32Array.from({ length: count * dimensions }, () => random.next() * 2 - 1);
}

/** The plain definition: score everything, sort by score, then by id. */
function sortAll(vectors: Float32Array, queries: Float32Array, d: number, k: number): number[] {
  const ids: number[] = [];
  for (let q = 0; q < queries.length / d; q++) {
    const scored = Array.from({ length: vectors.length / d }, (_, p) => {
      let score = 0;
      for (let i = 0; i < d; i++) score += (vectors[p * d + i] as number) * (queries[q * d + i] as number);
      return { p, score };
    });
    scored.sort((a, b) => b.score - a.score || a.p - b.p);
    ids.push(...scored.slice(0, k).map(({ p }) => p));
  }
  return ids;
}

describe("exact search", () => {
  test("one-hot passages: the score is the weight of the query's dimension", () => {
    const index = new ExactIndex(Float32Array.from([1, 0, 0, 0, 1, 0, 0, 0, 1]), 3);
    const [found] = index.search(Float32Array.from([0.5, 0.25, 2]), 3);
    expect([...(found?.ids ?? [])]).toEqual([2, 0, 1]);
    expect([...(found?.scores ?? [])]).toEqual([2, 0.5, 0.25]);
  });

  test("equal scores go to the lower id, also across blocks", () => {
    const vectors = new Float32Array(300 * 2).fill(1);
    vectors[2 * 250] = 3;
    const [found] = new ExactIndex(vectors, 2).search(Float32Array.from([1, 1]), 5);
    expect([...(found?.ids ?? [])]).toEqual([250, 0, 1, 2, 3]);
  });

  test("fewer passages than asked for are all returned; negative scores count too", () => {
    const [found] = new ExactIndex(Float32Array.from([-1, -2]), 1).search(Float32Array.from([1]), 4);
    expect([...(found?.ids ?? [])]).toEqual([0, 1]);
    expect([...(found?.scores ?? [])]).toEqual([-1, -2]);
  });

  test.each([1, 2, 3, 4, 5, 9])("equals sorting everything, for %i queries", (count) => {
    const d = 7;
    const vectors = randomVectors(300, d, 1);
    // Doubled passages make real ties.
    vectors.copyWithin(200 * d, 0, 50 * d);
    const queries = randomVectors(count, d, 2);
    const found = new ExactIndex(vectors, d).search(queries, 10);
    expect(found.flatMap(({ ids }) => [...ids])).toEqual(sortAll(vectors, queries, d, 10));
    const all = new ExactIndex(vectors, d).scores(queries);
    expect(all.map((scores) => scores.length)).toEqual(Array(count).fill(300));
    found.forEach(({ ids, scores }, q) => {
      expect([...scores]).toEqual(Array.from(ids, (id) => all[q]?.[id]));
    });
  });

  test("a query of other dimensions is refused", () => {
    expect(() => new ExactIndex(new Float32Array(6), 3).search(new Float32Array(4), 1)).toThrow(/dimensions/);
  });
});
