import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDocument, type StageContext, silentReporter, writeJsonl } from "@rag-ft/core";
import { readSafetensors } from "@rag-ft/models";
import { RERANKER_FILE } from "@rag-ft/retrieval";
import { TINY_ENCODER, writeEngineResult } from "@rag-ft/test-utils";
import { afterAll, beforeAll, expect, it } from "vitest";
import { trainReranker } from "./index.js";

const context: StageContext = { reporter: silentReporter, signal: new AbortController().signal, env: {} };
const exporting: StageContext = { ...context, engineStep: { kind: "export" } };
const importing: StageContext = { ...context, engineStep: { kind: "import" } };
const COLOURS = ["red", "green", "blue", "white", "black", "brown"];
const passage = (i: number) => createDocument(`Cable ${i} is ${COLOURS[i]}.`, { source: `cable-${i}.md` });

let folder: string;
const at = (...names: string[]): string => join(folder, ...names);
const lines = async (...names: string[]): Promise<Record<string, unknown>[]> =>
  (await readFile(at(...names), "utf8"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

const settings = (output: string, more: Record<string, unknown> = {}) =>
  trainReranker.settings.parse({
    ...{ model_path: TINY_ENCODER, full_dataset_file_path: at("documents.jsonl"), output_dir: at(output) },
    ...{ train_file: at("w_q.jsonl"), eval_file: at("w_q.jsonl"), retrieval: "bm25", negatives: "rows" },
    ...{ num_negatives: 2, rerank_top_n: 4, per_device_train_batch_size: 1, nproc_per_node: 2, num_train_epochs: 1 },
    ...{ save_onnx: false, threads: 1, engine: "sentence-transformers", engine_python: "none" },
    ...more,
  });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-"));
  const rows = COLOURS.map((_, i) => ({
    gold_docs: [passage(i)],
    hard_neg_docs: [passage((i + 1) % 6), passage((i + 2) % 6), passage((i + 3) % 6)],
    chat_history: [],
    questions: [`Which colour has cable ${i}?`],
  }));
  await writeJsonl(
    at("documents.jsonl"),
    COLOURS.map((_, i) => passage(i)),
  );
  await writeJsonl(at("w_q.jsonl"), rows);
}, 30_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

it("a job has each question's gold passage before its negatives, what is reordered in evaluations, and the base with its head", async () => {
  await trainReranker.run(settings("job"), exporting);
  const job = JSON.parse(await readFile(at("job", "engine", "train.json"), "utf8"));
  expect(job).toMatchObject({ loss: "listwise", at_k: 4, arguments: { max_steps: 3, per_device_train_batch_size: 1 } });
  expect(job.arguments.metric_for_best_model).toBe("eval_rag-ft_mrr@4");
  const rows = (await lines("job", "engine", "data", "train.jsonl")) as { query: string; passages: string[] }[];
  expect(rows).toHaveLength(6);
  for (const { query, passages } of rows) {
    const number = Number(/cable (\d)/.exec(query)?.[1]);
    expect(passages[0]).toBe(passage(number).fmt_content);
    const negatives = [1, 2, 3].map((more) => passage((number + more) % 6).fmt_content);
    expect(passages).toHaveLength(3);
    for (const one of passages.slice(1)) expect(negatives).toContain(one);
  }
  expect((await lines("job", "engine", "data", "train.jsonl"))[0]?.labels).toEqual([1, 0, 0]);
  const [candidates] = await lines("job", "engine", "eval", "candidates.jsonl");
  expect(candidates).toMatchObject({ positive: [passage(0).fmt_content] });
  expect(candidates?.documents).toHaveLength(4);
  expect([...(await readSafetensors(at("job", "engine", "base", "model.safetensors"))).keys()]).toContain(
    "classifier.weight",
  );
}, 30_000);

it("what comes back is measured as a training here, and the same search is kept where it is no better", async () => {
  await trainReranker.run(settings("run"), exporting);
  const base = at("run", "engine", "base");
  await writeEngineResult(at("run", "engine"), {
    files: { "model.safetensors": join(base, "model.safetensors"), "config.json": join(base, "config.json") },
    step: 3,
    log: [
      { step: 0, "eval_rag-ft_mrr@4": 0.5 },
      { step: 3, loss: 1.1, learning_rate: 0 },
      { step: 3, "eval_rag-ft_mrr@4": 0.75 },
    ],
  });
  const { summary } = await trainReranker.run(settings("run"), importing);
  expect(summary).toMatch(/eval +base[\s\S]*The search alone is kept: weight 0 in reranker\.json/);
  expect(await readdir(at("run"))).toEqual(expect.arrayContaining(["choice.json", "imported.json", RERANKER_FILE]));
  expect(await lines("run", "eval.jsonl")).toEqual([
    { step: 0, "eval_retr/mrr": 0.5 },
    { step: 3, "eval_retr/mrr": 0.75 },
  ]);
}, 60_000);
