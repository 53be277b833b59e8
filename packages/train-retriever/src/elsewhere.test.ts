import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDocument, documentId, type StageContext, silentReporter, writeJsonl } from "@rag-ft/core";
import { readSafetensors } from "@rag-ft/models";
import { HYBRID_FILE } from "@rag-ft/retrieval";
import { TINY_ENCODER, writeEngineResult } from "@rag-ft/test-utils";
import { afterAll, beforeAll, expect, it } from "vitest";
import { trainRetriever } from "./index.js";

const context: StageContext = { reporter: silentReporter, signal: new AbortController().signal, env: {} };
const exporting: StageContext = { ...context, engineStep: { kind: "export" } };
const importing: StageContext = { ...context, engineStep: { kind: "import" } };
const COLOURS = ["red", "green", "blue", "white", "black", "brown", "pink", "grey"];
const passage = (i: number) => createDocument(`Cable ${i} is ${COLOURS[i]}.`, { source: `cable-${i}.md` });
// As sentence-transformers 6.2 wrote it of such a run.
const LOG = [
  {
    step: 0,
    "eval_rag-ft_cosine_accuracy@1": 0.875,
    "eval_rag-ft_cosine_recall@1": 0.875,
    "eval_rag-ft_cosine_recall@4": 1,
  },
  { step: 1, loss: 0.8, learning_rate: 0, grad_norm: 14.8, epoch: 0.5 },
  { step: 2, loss: 1.2, learning_rate: 0.001, grad_norm: 19.3, epoch: 1 },
  { step: 2, "eval_rag-ft_cosine_accuracy@1": 1, "eval_rag-ft_cosine_recall@1": 1, "eval_rag-ft_cosine_recall@4": 1 },
];

let folder: string;
const at = (...names: string[]): string => join(folder, ...names);
const read = (...names: string[]): Promise<string> => readFile(at(...names), "utf8");
const lines = async (...names: string[]): Promise<Record<string, unknown>[]> =>
  (await read(...names))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

const settings = (output: string, more: Record<string, unknown> = {}) =>
  trainRetriever.settings.parse({
    ...{ model_path: TINY_ENCODER, full_dataset_file_path: at("documents.jsonl") },
    ...{ train_file: at("w_q.jsonl"), eval_file: at("w_q.jsonl"), test_file: at("w_q.jsonl"), output_dir: at(output) },
    ...{ per_device_train_batch_size: 2, nproc_per_node: 2, hard_neg_ratio: 0.5, learning_rate: 1e-3, threads: 1 },
    ...{ query_prefix: "query: ", passage_prefix: "passage: ", save_onnx: false },
    ...{ engine: "sentence-transformers", engine_python: "none" },
    ...more,
  });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-"));
  // Two questions of each passage, so that a batch often holds a passage twice.
  const rows = COLOURS.map((_, i) => ({
    gold_docs: [passage(i)],
    hard_neg_docs: [passage((i + 1) % 8)],
    chat_history: [],
    questions: [`Which colour has cable ${i}?`, `What does cable ${i} look like?`],
  }));
  await writeJsonl(
    at("documents.jsonl"),
    COLOURS.map((_, i) => passage(i)),
  );
  await writeJsonl(at("w_q.jsonl"), rows);
  const local = { engine: "local", nproc_per_node: 1, per_device_train_batch_size: 4, max_steps: 2, do_eval: false };
  await trainRetriever.run(settings("local", local), context);
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

it("is a folder with the batches of a training here: prefixed texts, negatives, and what is no negative", async () => {
  await trainRetriever.run(settings("job", { matryoshka_dims: [32, 16], num_train_epochs: 2 }), exporting);
  const job = JSON.parse(await read("job", "engine", "train.json"));
  expect(job).toMatchObject({ temperature: 0.02, cosine: true, lengths: [32, 16], dropout: 0, depths: [1, 4] });
  expect(job.arguments).toMatchObject({
    ...{ max_steps: 8, per_device_train_batch_size: 2, metric_for_best_model: "eval_rag-ft_cosine_recall@4" },
    ...{ save_total_limit: 2, eval_on_start: true, load_best_model_at_end: true },
  });
  const rows = (await lines("job", "engine", "data", "train.jsonl")) as {
    anchor: string;
    positive: string;
    negative_1: string;
    label: number[];
  }[];
  expect(rows).toHaveLength(32);
  expect(Object.keys(rows[0] ?? {})).toEqual(["anchor", "positive", "negative_1", "label"]);
  for (const { anchor, positive } of rows) {
    const [, number] = /cable (\d)/.exec(anchor) ?? [];
    expect(anchor).toMatch(/^query: W/);
    expect(positive).toBe(`passage: ${passage(Number(number)).fmt_content}`);
  }
  const batches = Array.from({ length: 8 }, (_, i) => rows.slice(4 * i, 4 * i + 4));
  // As many negatives a batch as the ratio asks for, none of them gold in it; the other rows have none.
  for (const batch of batches) {
    const negatives = batch.filter(({ negative_1 }) => negative_1 !== "");
    expect(negatives.length).toBeLessThanOrEqual(2);
    expect(batch.map(({ positive }) => positive)).not.toEqual(
      expect.arrayContaining(negatives.map((row) => row.negative_1)),
    );
    for (const { negative_1, label } of batch) expect((label[1] ?? 0) < 0).toBe(negative_1 === "");
    // A passage has one id, by which it is told that it stands twice.
    const ids = new Map(batch.map(({ positive, label }) => [positive, label[0]]));
    for (const { positive, label } of batch) expect(label[0]).toBe(ids.get(positive));
  }
  expect(batches.some((batch) => new Set(batch.map(({ label }) => label[0])).size < 4)).toBe(true);
  expect(await read("job", "engine", "eval", "qrels", "test.tsv")).toContain(`q3\t${documentId(passage(1))}\t1\n`);
  expect((await lines("job", "engine", "eval", "corpus.jsonl"))[1]).toMatchObject({ text: passage(1).fmt_content });
  const base = JSON.parse(await read("job", "engine", "base", "config_sentence_transformers.json"));
  expect(base).toMatchObject({ prompts: { query: "query: ", document: "passage: " }, similarity_fn_name: "cosine" });
}, 30_000);

it("near-duplicates of a gold passage are ids that are no negatives of its question", async () => {
  const near = createDocument(`${passage(0).page_content} Cable 0 is red, and it is 2 m long.`, { source: "near.md" });
  const row = (gold: ReturnType<typeof passage>, question: string) => ({
    ...{ gold_docs: [gold], hard_neg_docs: [], chat_history: [], questions: [question] },
  });
  await writeJsonl(at("near.jsonl"), [
    row(passage(0), "Which colour?"),
    row(near, "How long?"),
    row(passage(3), "And this?"),
  ]);
  const more = {
    train_file: at("near.jsonl"),
    mask_near_duplicates: true,
    nproc_per_node: 1,
    per_device_train_batch_size: 3,
  };
  await trainRetriever.run(settings("near", { ...more, hard_neg_ratio: 0 }), exporting);
  const rows = (await lines("near", "engine", "data", "train.jsonl")) as { anchor: string; label: number[] }[];
  const labelOf = (question: string): number[] => rows.find(({ anchor }) => anchor.endsWith(question))?.label ?? [];
  const [[red, ...notOfRed], [long, ...notOfLong], [, ...notOfOther]] = ["colour?", "long?", "this?"].map(labelOf) as [
    number[],
    number[],
    number[],
  ];
  expect([notOfRed, notOfLong, notOfOther]).toEqual([[long], [red], [-1]]);
}, 30_000);

it("what comes back is measured as a training here, and leaves the same files", async () => {
  await trainRetriever.run(settings("run"), exporting);
  await writeEngineResult(at("run", "engine"), {
    files: { "model.safetensors": at("local", "model.safetensors"), "config.json": join(TINY_ENCODER, "config.json") },
    ...{ step: 2, log: LOG },
  });
  // It must not depend on whether the engine's weights are better than the base's.
  const { summary } = await trainRetriever.run(settings("run"), importing);
  expect(summary).toMatch(/eval +BM25[\s\S]*test +base/);
  expect(await readdir(at("run"))).toEqual(
    expect.arrayContaining(["choice.json", "test.json", "imported.json", HYBRID_FILE, "modules.json", "train.jsonl"]),
  );
  expect(await lines("run", "eval.jsonl")).toEqual([
    { step: 0, "eval_retr/document_recall/recall1": 0.875, "eval_retr/document_recall/recall4": 1 },
    { step: 2, "eval_retr/document_recall/recall1": 1, "eval_retr/document_recall/recall4": 1 },
  ]);
  const theirs = await readSafetensors(at("local", "model.safetensors"));
  const ours = await readSafetensors(at("run", "checkpoint-2", "model.safetensors"));
  for (const [name, { data }] of theirs) expect(ours.get(name)?.data).toEqual(data);
}, 60_000);

it("refuses what sentence-transformers has no means for, and a model of another architecture", async () => {
  await expect(trainRetriever.run(settings("x", { positives: "all", lora_r: 4 }), exporting)).rejects.toThrow(
    /engine sentence-transformers has no lora_r, no positives all\. Leave them out, or train with engine local/,
  );
  await trainRetriever.run(settings("other"), exporting);
  await writeEngineResult(at("other", "engine"), {
    files: { "model.safetensors": join(TINY_ENCODER, "../tiny-decoder/model.safetensors") },
    ...{ step: 2, log: LOG },
  });
  await expect(trainRetriever.run(settings("other"), importing)).rejects.toThrow(/the weight \S+ is missing among/);
  expect(await readdir(at("other"))).not.toContain("imported.json");
}, 30_000);
