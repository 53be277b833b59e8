import { expect, test } from "vitest";
import { bestFused, scoresOfCandidates, standardise } from "./fused-scores.js";

const ranked = (ids: number[], scores: number[]) => ({ ids: Int32Array.from(ids), scores: Float64Array.from(scores) });

test("a candidate that the store did not give takes the last score that it gave; scores of words are all known", () => {
  // By vectors 5 and 2 were found, by words 7 and 2.
  const bm25 = Float64Array.from([0, 0, 3, 0, 0, 1, 0, 8]);
  const scores = scoresOfCandidates(ranked([5, 2], [9, 4]), ranked([7, 2], [8, 3]), bm25);
  expect([...(scores.ids ?? [])]).toEqual([2, 5, 7]);
  expect(scores.dense).toEqual(standardise(Float64Array.from([4, 9, 4])));
  expect(scores.bm25).toEqual(standardise(Float64Array.from([3, 1, 8])));
  expect([...bestFused(scores, 0, 3).ids]).toEqual([5, 2, 7]);
  expect([...bestFused(scores, 10, 2).ids]).toEqual([7, 2]);
});

test("without a candidate nothing is found", () => {
  const none = ranked([], []);
  expect(bestFused(scoresOfCandidates(none, none, new Float64Array(3)), 1, 4).ids).toHaveLength(0);
});
