import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataError, InternalError } from "@rag-ft/core";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  checkRetrieval,
  chooseWeight,
  gainOverDense,
  HYBRID_FILE,
  readHybridWeight,
  resolveBm25Weight,
  writeHybridWeight,
} from "./hybrid-weight.js";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-hybrid-"));
});
afterEach(() => rm(folder, { recursive: true }));

const keep = (bm25_weight: number) =>
  writeHybridWeight(folder, { bm25_weight, chosen_by: "mrr", questions: 1, passages: 1, candidates: [] });

/** Found for the first `found` of 40 questions. */
const candidate = (bm25_weight: number, found: number) => {
  const rows = Array.from({ length: 40 }, (_, i) => ({ recall: i < found ? 1 : 0 }));
  return { bm25_weight, rows, figures: { recall: found / 40 } };
};

test("the default is chosen unless another weight beats it beyond chance", () => {
  const choose = (...candidates: ReturnType<typeof candidate>[]) => chooseWeight(candidates, "recall").bm25_weight;
  const usual = candidate(0.5, 20);
  expect(choose(candidate(0, 19), usual, candidate(1, 20))).toBe(0.5);
  // Two more of 40 may be chance; twelve more are not, and sixteen are better still.
  expect(choose(usual, candidate(1, 22))).toBe(0.5);
  expect(choose(candidate(0, 32), usual, candidate(1, 22), candidate(2, 36))).toBe(2);
  expect(choose(candidate(0, 36), usual, candidate(2, 32))).toBe(0);
  expect(choose(candidate(0, 4), usual)).toBe(0.5);
  expect(() => choose(candidate(0, 1))).toThrow(InternalError);
});

test("both together are what to set only where they find more than the vectors alone beyond chance", () => {
  const dense = candidate(0, 20);
  const over = (chosen: ReturnType<typeof candidate>) => gainOverDense([dense, chosen], chosen, "recall");
  const more = over(candidate(0.5, 32));
  expect(more).toMatchObject({ retrieval: "hybrid", gain: expect.closeTo(0.3, 12) });
  expect(more?.low).toBeGreaterThan(0);
  expect(more?.high).toBeLessThan(0.5);
  // One more of 40 may be chance, and fewer are fewer.
  expect(over(candidate(0.5, 21))?.retrieval).toBe("dense");
  expect(over(candidate(0.5, 8))).toMatchObject({ retrieval: "dense", gain: expect.closeTo(-0.3, 12) });
  expect(over(dense)).toBeUndefined();
  expect(() => gainOverDense([candidate(1, 3)], candidate(1, 3), "recall")).toThrow(InternalError);
});

test("a weight given wins over the one kept beside the model, and that over the default; a line says which", async () => {
  const lines: string[] = [];
  const reporter = { info: (line: string) => void lines.push(line) };
  const resolve = (bm25_weight?: number) => resolveBm25Weight({ retrieval: "hybrid", bm25_weight }, folder, reporter);
  expect(await resolve()).toBe(0.5);
  await keep(0);
  expect(await resolve()).toBe(0);
  await keep(1.5);
  expect(await resolve()).toBe(1.5);
  expect(await resolve(0)).toBe(0);
  expect(lines.map((line) => /\((.*)\)$/.exec(line)?.[1])).toEqual([
    "the default",
    `from its ${HYBRID_FILE}`,
    `from its ${HYBRID_FILE}`,
    "as given",
  ]);
});

test("a damaged file is an error that names it; a model of the hub has none", async () => {
  expect(await readHybridWeight("intfloat/e5-small-v2")).toBeUndefined();
  for (const text of ["{", '{"version": 1}', '{"version": 1, "bm25_weight": -1}', '{"version": 2, "bm25_weight": 1}']) {
    await writeFile(join(folder, HYBRID_FILE), text);
    await expect(readHybridWeight(folder)).rejects.toThrow(DataError);
    await expect(readHybridWeight(folder)).rejects.toThrow(/hybrid\.json: expected .*bm25_weight/);
  }
});

test("a weight that nothing would read is refused", () => {
  expect(() => checkRetrieval({ retrieval: "dense", bm25_weight: 1 })).toThrow(/for --retrieval hybrid, found/);
  checkRetrieval({ retrieval: "dense" });
  checkRetrieval({ retrieval: "hybrid", bm25_weight: 1 });
});
