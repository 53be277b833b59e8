import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createDocument, silentReporter } from "@rag-ft/core";
import { openScorer } from "@rag-ft/models";
import { createWordEncoder } from "@rag-ft/test-utils";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openRetriever } from "../open-retriever.js";
import { openReranker } from "./open-reranker.js";
import { RERANKER_FILE, readRerankerFile, writeRerankerFile } from "./reranker-file.js";

const MODEL = fileURLToPath(new URL("../../../models/src/fixtures/st-bert", import.meta.url));
const documents = ["red lamp", "green wall", "blue lamp", "red wall"].map((text) =>
  createDocument(text, { source: "s" }),
);
const said: string[] = [];
const context = {
  env: {},
  reporter: { ...silentReporter, info: (line: string) => said.push(line) },
  signal: new AbortController().signal,
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-reranker-"));
  await cp(MODEL, join(folder, "chosen"), { recursive: true });
  await cp(MODEL, join(folder, "useless"), { recursive: true });
  const about = { first_stage: "vectors", chosen_by: "mrr", questions: 3, candidates: [] };
  await writeRerankerFile(join(folder, "chosen"), { ...about, rerank_weight: 1, rerank_top_n: 2 });
  await writeRerankerFile(join(folder, "useless"), { ...about, rerank_weight: 0, rerank_top_n: 2 });
});
afterAll(() => rm(folder, { recursive: true }));

it("is used as it was chosen, else as given, else by the defaults; weight 0 loads nothing", async () => {
  const chosen = await openReranker({ reranker: join(folder, "chosen") }, context);
  expect(chosen).toMatchObject({ topN: 2, weight: 1 });
  const given = await openReranker({ reranker: join(folder, "chosen"), rerank_top_n: 7, rerank_weight: 0.25 }, context);
  expect(given).toMatchObject({ topN: 7, weight: 0.25 });
  const plain = await openReranker({ reranker: MODEL }, context);
  expect(plain).toMatchObject({ topN: 20, weight: 0.5 });
  for (const one of [chosen, given, plain]) await one?.scorer.close();
  // Without its weights nobody could load it.
  await rm(join(folder, "useless", "model.safetensors"));
  expect(await openReranker({ reranker: join(folder, "useless") }, context)).toBeUndefined();
  expect(said.at(-1)).toMatch(/weight 0 \(from its reranker\.json\): passages stay in the search's order/);
  expect(await openReranker({}, context)).toBeUndefined();
});

it("a file that is none of train-reranker's is named", async () => {
  const path = join(folder, "chosen", RERANKER_FILE);
  const before = await readFile(path, "utf8");
  await writeFile(path, '{"version": 1, "rerank_weight": 2}');
  await expect(readRerankerFile(join(folder, "chosen"))).rejects.toThrow(
    /reranker\.json: expected what train-reranker writes/,
  );
  await writeFile(path, before);
});

it("a search opened with one gives its order; a wrong name shows before anything is embedded", async () => {
  const encoder = createWordEncoder(["red", "green", "blue"]);
  const open = (reranker: string) =>
    openRetriever(documents, {
      ...context,
      settings: { retrieval: "dense", reranker, rerank_top_n: 4, rerank_weight: 1 },
      model: "words",
      openEncoder: async () => encoder,
    });
  const retriever = await open(MODEL);
  const [found] = await retriever.retrieve(["red wall"], 4);
  await retriever.close();
  const scorer = await openScorer(MODEL, context);
  const scores = await scorer.score(documents.map(({ fmt_content }) => ["red wall", fmt_content] as const));
  await scorer.close();
  expect(new Set(scores).size).toBe(4);
  expect(found?.ids).toEqual([0, 1, 2, 3].sort((a, b) => (scores[b] as number) - (scores[a] as number)));
  expect(retriever.reranking).toMatchObject({
    reranker: MODEL,
    rerank_top_n: 4,
    rerank_weight: 1,
    cost: { questions: 1 },
  });
  const calls = encoder.calls.length;
  await expect(open(join(folder, "nowhere"))).rejects.toThrow(/nowhere/);
  expect(encoder.calls).toHaveLength(calls);
});
