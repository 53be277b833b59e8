import { pairedDifference } from "@rag-ft/metrics";
import { expect, it } from "vitest";
import { changesOf, withIntervals } from "./test-intervals.js";

const rowsOf = (values: number[]) => values.map((recall) => ({ recall }));
const of = (values: number[]) => ({
  figures: { recall: values.reduce((a, b) => a + b, 0) / values.length, weight: 0.5 },
  rows: rowsOf(values),
});
const BASE = [1, 1, 1, 0, 0, 0, 0, 0, 1];
const BEST = [1, 1, 1, 1, 1, 1, 0, 0, 0];
const SOURCES = ["a", "a", "a", "b", "b", "b", "c", "c", "c"];

it("gives figures their intervals, by source where questions share some", () => {
  expect(withIntervals(of(BASE), undefined)).not.toHaveProperty("ci95_by_source");
  const by = withIntervals(of(BASE), SOURCES) as { recall_ci95: [number, number] };
  const apart = withIntervals(of(BASE), undefined) as { recall_ci95: [number, number] };
  expect(by).toMatchObject({ recall: 4 / 9, weight: 0.5, ci95_by_source: 3 });
  expect(by.recall_ci95[1] - by.recall_ci95[0]).toBeGreaterThan(apart.recall_ci95[1] - apart.recall_ci95[0]);
});

it("leaves figures without questions as they are", () => {
  expect(withIntervals({ figures: { loss: 2 } }, SOURCES)).toEqual({ loss: 2 });
  expect(changesOf({ figures: { loss: 2 } }, { figures: { loss: 1 } }, SOURCES)).toEqual({});
  // Of a checkpoint of an earlier version, the base's questions are not known.
  expect(changesOf({ figures: { recall: 0.5 } }, of(BEST), SOURCES)).toEqual({});
});

it("gives the change with interval and p, question by question and by source", () => {
  const { low, high, p_value } = pairedDifference(BASE, BEST, { sources: SOURCES });
  expect(changesOf(of(BASE), of(BEST), SOURCES)).toEqual({
    change: { recall: { difference: 2 / 9, ci95: [low, high], p_value, wins: 3, losses: 1, ties: 5 } },
  });
});

it("writes no interval of one question", () => {
  expect(withIntervals(of([1]), ["a"])).toMatchObject({ recall: 1 });
  expect(JSON.stringify([withIntervals(of([0.5]), ["a"]), changesOf(of([0.5]), of([0.7]), ["a"])])).not.toContain(
    "null",
  );
});
