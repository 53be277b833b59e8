import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createDocument, documentId, hashFile, silentReporter, writeJsonl } from "@rag-ft/core";
import { readSafetensors } from "@rag-ft/models";
import type { PassageScores } from "@rag-ft/retrieval";
import { stopAfter } from "@rag-ft/test-utils";
import { afterAll, beforeAll, expect, it } from "vitest";
import { trainRetriever } from "./index.js";

const ENCODER = fileURLToPath(new URL("../../../data/models/tiny-encoder", import.meta.url));
const context = { reporter: silentReporter, signal: new AbortController().signal, env: {} };
const DOCUMENTS = ["timeout", "retries", "proxy", "cookies", "streaming", "headers"].map((topic) =>
  createDocument(`The option called ${topic} controls ${topic} of a request.`, { source: `${topic}.md` }),
);
const QUESTIONS = DOCUMENTS.map((_, i) => `What is feature number ${i}?`);
/** Of the tiny encoder's three layers. */
const FROZEN = /^(embeddings|encoder\.layer\.0)\./;

let folder: string;
const at = (name: string): string => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-freeze-"));
  await writeJsonl(at("documents.jsonl"), DOCUMENTS);
  const rows = DOCUMENTS.map((gold, i) => ({
    gold_docs: [gold],
    hard_neg_docs: [DOCUMENTS[(i + 1) % DOCUMENTS.length]],
    chat_history: [],
    questions: [QUESTIONS[i]],
  }));
  await writeJsonl(at("w_q.jsonl"), rows);
  const scores = QUESTIONS.map((question, i): PassageScores => {
    const passages = [0, 1, 2].map((place) => {
      const document = DOCUMENTS[(i + place) % DOCUMENTS.length] as (typeof DOCUMENTS)[number];
      return { id: documentId(document), source: document.metadata.source, score: [0, 3, 6][place] as number };
    });
    const scored_by = { kind: "reranker" as const, model: "a-reranker", hash: "h" };
    return { version: 1, question, passages, scored_by, key: String(i) };
  });
  await writeJsonl(at("scores.jsonl"), scores);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const settings = (output: string, more: Record<string, unknown> = {}) =>
  trainRetriever.settings.parse({
    model_path: ENCODER,
    full_dataset_file_path: at("documents.jsonl"),
    train_file: at("w_q.jsonl"),
    eval_file: at("w_q.jsonl"),
    output_dir: at(output),
    per_device_train_batch_size: 4,
    max_steps: 4,
    eval_steps: 2,
    learning_rate: 3e-3,
    save_onnx: false,
    hard_neg_ratio: 0.5,
    freeze_layers: 1,
    // Of the last step, whatever the figures say.
    keep_base_unless: "better",
    do_eval: false,
    ...more,
  });

/** Names of the weights that differ from the base's in any bit. */
async function changed(path: string): Promise<string[]> {
  const base = await readSafetensors(join(ENCODER, "model.safetensors"));
  const now = await readSafetensors(path);
  return [...now]
    .filter(([name, { data }]) => !data.every((value, i) => Object.is(value, base.get(name)?.data[i])))
    .map(([name]) => name);
}

it("the embeddings and the first layers stay to the bit, the others learn; log, summary, record and card say which", async () => {
  const said: string[] = [];
  const reporter = { ...silentReporter, info: (line: string) => said.push(line) };
  const { record, summary } = await trainRetriever.run(settings("run"), { ...context, reporter });
  const names = await changed(at("run/model.safetensors"));
  expect(names.filter((name) => FROZEN.test(name))).toEqual([]);
  const all = [...(await readSafetensors(at("run/model.safetensors"))).keys()];
  const above = all.filter((name) => /^encoder\.layer\./.test(name) && !FROZEN.test(name));
  expect(above).toHaveLength(32);
  // A key's bias has no gradient but rounding; AdamW makes steps of that, too.
  expect(above.filter((name) => !names.includes(name) && !name.endsWith("key.bias"))).toEqual([]);
  const line = /held fixed: the embeddings and the first layer of 3 layers, [\d.]+ M of [\d.]+ M parameters/;
  expect(said.join("\n")).toMatch(line);
  expect(summary).toMatch(line);
  expect(record).toMatchObject({ frozen: { layers: 1, of: 3, embeddings: true } });
  const card = await readFile(at("run/README.md"), "utf8");
  expect(card).toContain("| `freeze_layers` | `1` |");
  expect(card).toContain("Held fixed in training, as in the base: the embeddings and the first layer of 3 layers.");
});

it("in memory or on disk, evaluated or not, stopped or not: the same model to the bit, and nothing stays of what was kept", async () => {
  const evaluated = { do_eval: true, max_steps: 8, metric_for_best_model: "eval_retr/mrr" };
  await trainRetriever.run(settings("memory", evaluated), context);
  const expected = await hashFile(at("memory/model.safetensors"));
  const log = await readFile(at("memory/eval.jsonl"), "utf8");
  expect((await changed(at("memory/model.safetensors"))).length).toBeGreaterThan(6);
  const onDisk = { ...evaluated, frozen_memory: 0 };
  await trainRetriever.run(settings("disk", onDisk), context);
  expect(await hashFile(at("disk/model.safetensors"))).toBe(expected);

  await expect(trainRetriever.run(settings("stopped", onDisk), { ...context, ...stopAfter(2) })).rejects.toThrow(
    /after step 2 of 8/,
  );
  const kept = await readdir(at("stopped/frozen_states"), { recursive: true });
  expect(kept.filter((name) => /[0-9a-f]{64}$/.test(name)).length).toBeGreaterThan(4);
  // Only what is trained is in the checkpoint's state.
  const state = await readSafetensors(at("stopped/checkpoint-2/trainer_state/weights.safetensors"));
  expect([...state.keys()].filter((name) => FROZEN.test(name))).toEqual([]);
  expect(state.size).toBe(32);
  const said: string[] = [];
  const reporter = {
    ...silentReporter,
    info: (line: string) => said.push(line),
    warn: (line: string) => said.push(line),
  };
  await trainRetriever.run(settings("stopped", onDisk), { ...context, reporter });
  expect(said.find((line) => line.includes("going on"))).toMatch(/after step 2 of 8/);
  expect(said.filter((line) => line.includes("damaged"))).toEqual([]);
  for (const name of ["disk", "stopped"]) {
    expect(await hashFile(at(`${name}/model.safetensors`)), name).toBe(expected);
    expect(await readFile(at(`${name}/eval.jsonl`), "utf8"), name).toBe(log);
    expect(await readdir(at(name))).not.toContain("frozen_states");
  }
});

it.each([
  ["dropout", { dropout: 0.1 }],
  ["recomputed", { activation_memory: 0, gradient_accumulation_steps: 2 }],
  ["interpolated", { do_eval: true, interpolate: "0.5", test_file: true, max_steps: 8, metric_for_best_model: "mrr" }],
  ["positives", { positives: "all", extra_positives: 1, mask_near_duplicates: true }],
  ["distilled", { distil_from: true }],
  ["adapters", { lora_r: 4, learning_rate: 2e-2 }],
])("works with %s; nothing of what is frozen changes", async (name, more: Record<string, unknown>) => {
  const paths = {
    ...("distil_from" in more ? { distil_from: at("scores.jsonl") } : {}),
    ...("test_file" in more ? { test_file: at("w_q.jsonl") } : {}),
  };
  await trainRetriever.run(settings(name, { ...more, ...paths }), context);
  const names = await changed(at(`${name}/model.safetensors`));
  expect(names.length).toBeGreaterThan(6);
  expect(names.filter((one) => FROZEN.test(one))).toEqual([]);
  // Other memory, the same bits.
  await trainRetriever.run(settings(`${name}-on-disk`, { ...more, ...paths, frozen_memory: 0 }), context);
  const hashes = [name, `${name}-on-disk`].map((one) => hashFile(at(`${one}/model.safetensors`)));
  expect(new Set(await Promise.all(hashes)).size).toBe(1);
});

it("what a run left that froze layers goes with the next one, whatever that does", async () => {
  const before = { ...context, ...stopAfter(2) };
  await expect(trainRetriever.run(settings("left", { frozen_memory: 0 }), before)).rejects.toThrow(/after step 2/);
  expect(await readdir(at("left"))).toContain("frozen_states");
  await trainRetriever.run(settings("left", { freeze_layers: 0, max_steps: 1 }), context);
  expect(await readdir(at("left"))).not.toContain("frozen_states");
});

it("as many layers as there are, or more, is an error before anything is written", async () => {
  await expect(trainRetriever.run(settings("all", { freeze_layers: 3 }), context)).rejects.toThrow(
    /freeze_layers is 3, but .* has 3 layers, of which at least the last is to be trained\. Give at most 2\./,
  );
  expect(await readdir(folder)).not.toContain("all");
  expect(() => settings("half", { freeze_layers: 1.5 })).toThrow(/freeze_layers/);
  expect(() => settings("negative", { freeze_layers: -1 })).toThrow(/freeze_layers/);
});
