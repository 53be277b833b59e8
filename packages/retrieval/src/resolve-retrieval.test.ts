import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataError, UserError } from "@rag-ft/core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkRetrieval } from "./hybrid-weight.js";
import { resolveRetrieval } from "./resolve-retrieval.js";
import type { RetrievalSettings } from "./retrieval-settings.js";

let folder = "";
let said: string[] = [];
const reporter = {
  info: (line: string) => said.push(`info: ${line}`),
  warn: (line: string) => said.push(`warn: ${line}`),
};

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-auto-"));
  said = [];
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const keep = (content: object) => writeFile(join(folder, "hybrid.json"), JSON.stringify({ version: 1, ...content }));
const auto = (more: Partial<RetrievalSettings> = {}, model = folder) =>
  resolveRetrieval({ retrieval: "auto", ...more }, model, reporter);
const gain = (retrieval: string, low: number) => ({ retrieval, gain: low + 0.05, low, high: low + 0.1 });

test("auto takes hybrid search with its weight where that beat the vectors beyond chance, and says why", async () => {
  await keep({ bm25_weight: 0.75, over_dense: gain("hybrid", 0.02), chosen_by: "mrr", questions: 40 });
  expect(await auto()).toEqual({ retrieval: "hybrid", bm25_weight: 0.75 });
  expect(said).toEqual([
    `info: ${folder}: searched by vectors + 0.75 BM25, as its hybrid.json chose: hybrid search changed mrr by +0.070, 95 % interval +0.020 to +0.120 on 40 eval questions`,
  ]);
});

test("auto takes the vectors alone where they were not beaten, whatever the weight", async () => {
  await keep({ bm25_weight: 0.5, over_dense: gain("dense", -0.02), chosen_by: "mrr", questions: 40 });
  expect(await auto()).toEqual({ retrieval: "dense" });
  expect(said[0]).toMatch(/^info: .*searched by vectors, as its hybrid\.json chose: .* -0\.020 to \+0\.080/);
  await keep({ bm25_weight: 0 });
  expect(await auto()).toEqual({ retrieval: "dense" });
  expect(said[1]).toMatch(/^info: .*no weight of BM25 was better/);
});

test("auto warns and takes the vectors where nothing was chosen, or the file does not tell", async () => {
  expect(await auto()).toEqual({ retrieval: "dense" });
  expect(await auto({}, "intfloat/e5-small-v2")).toEqual({ retrieval: "dense" });
  await keep({ bm25_weight: 0.5 });
  expect(await auto()).toEqual({ retrieval: "dense" });
  expect(said.map((line) => line.replace(folder, "F").replace(/,? in which.*:/, ":"))).toEqual([
    "warn: F: --retrieval auto finds no hybrid.json beside it: searched by vectors alone",
    "warn: intfloat/e5-small-v2: --retrieval auto finds no hybrid.json beside it: searched by vectors alone",
    expect.stringMatching(/^warn: F: its hybrid\.json does not say .*: searched by vectors alone$/),
  ]);
});

test("the choice of another retriever: taken where there is one, an error where there is none", async () => {
  await keep({ bm25_weight: 1, over_dense: gain("hybrid", 0.01) });
  expect(await auto({ retrieval_choice_of: folder }, "base")).toEqual({ retrieval: "hybrid", bm25_weight: 1 });
  const nowhere = auto({ retrieval_choice_of: join(folder, "none") }, "base");
  await expect(nowhere).rejects.toThrow(UserError);
  await expect(nowhere).rejects.toThrow(/retrieval_choice_of: .*none has no hybrid\.json/);
});

test("a choice that is malformed is an error; settings that nothing would read are refused", async () => {
  for (const over_dense of [{ retrieval: "words" }, "hybrid", { retrieval: "hybrid", gain: "1", low: 0, high: 1 }]) {
    await keep({ bm25_weight: 0.5, over_dense });
    await expect(auto()).rejects.toThrow(DataError);
  }
  expect(() => checkRetrieval({ retrieval: "hybrid", retrieval_choice_of: "x" })).toThrow(
    /for --retrieval auto, found/,
  );
  expect(() => checkRetrieval({ retrieval: "auto", bm25_weight: 1 })).toThrow(/for --retrieval hybrid, found/);
});

test("what is not auto is what it says", async () => {
  await keep({ bm25_weight: 2, over_dense: gain("dense", -1) });
  expect(await resolveRetrieval({ retrieval: "dense" }, folder, reporter)).toEqual({ retrieval: "dense" });
  expect(await resolveRetrieval({ retrieval: "bm25" }, folder, reporter)).toEqual({ retrieval: "bm25" });
  expect(await resolveRetrieval({ retrieval: "hybrid" }, folder, reporter)).toEqual({
    retrieval: "hybrid",
    bm25_weight: 2,
  });
});
