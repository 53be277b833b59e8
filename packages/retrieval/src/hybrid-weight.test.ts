import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataError } from "@rag-ft/core";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  checkRetrieval,
  chooseWeight,
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

const candidate = (bm25_weight: number, recall: number, mrr: number) => ({ bm25_weight, figures: { recall, mrr } });
const keep = (bm25_weight: number) =>
  writeHybridWeight(folder, { bm25_weight, chosen_by: "mrr", questions: 1, passages: 1, candidates: [] });

test("the best figure chooses, then MRR, then nearness to the default", () => {
  const choose = (...candidates: ReturnType<typeof candidate>[]) => chooseWeight(candidates, "recall").bm25_weight;
  expect(choose(candidate(0, 0.5, 0.9), candidate(2, 0.6, 0.1))).toBe(2);
  expect(choose(candidate(0, 0.5, 0.3), candidate(1, 0.5, 0.4), candidate(2, 0.5, 0.2))).toBe(1);
  expect(choose(candidate(0, 0.5, 0.5), candidate(0.75, 0.5, 0.5), candidate(2, 0.5, 0.5))).toBe(0.75);
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
