import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createDocument, hashFile, silentReporter, writeJsonl } from "@rag-ft/core";
import { readSafetensors } from "@rag-ft/models";
import { afterAll, beforeAll, expect, it } from "vitest";
import { trainReranker } from "./index.js";

const ENCODER = fileURLToPath(new URL("../../../data/models/tiny-encoder", import.meta.url));
const context = { reporter: silentReporter, signal: new AbortController().signal, env: {} };

let folder: string;
const at = (...names: string[]): string => join(folder, ...names);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-freeze-"));
  const documents = ["alpha", "bravo", "delta", "gamma", "kappa", "lambda"].map((word) =>
    createDocument(`About ${word}, and what ${word} is for.`, { source: `${word}.md` }),
  );
  await writeJsonl(at("documents.jsonl"), documents);
  const rows = documents.map((gold, i) => ({
    gold_docs: [gold],
    hard_neg_docs: documents.filter((one) => one !== gold),
    chat_history: [],
    questions: [`What is feature ${i}?`],
  }));
  await writeJsonl(at("w_q.jsonl"), rows);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it.each([
  ["all weights above", {}, 35],
  ["adapters above", { lora_r: 2, learning_rate: 2e-2 }, 15],
])("what is frozen stays to the bit, kept in memory or on disk: %s", async (name, more, trained) => {
  const run = async (output: string, frozen_memory: number): Promise<string> => {
    const settings = trainReranker.settings.parse({
      model_path: ENCODER,
      retrieval: "bm25",
      full_dataset_file_path: at("documents.jsonl"),
      train_file: at("w_q.jsonl"),
      eval_file: at("w_q.jsonl"),
      output_dir: at(output),
      per_device_train_batch_size: 3,
      negatives: "rows",
      num_negatives: 2,
      max_steps: 4,
      eval_steps: 2,
      rerank_top_n: 4,
      learning_rate: 1e-3,
      save_onnx: false,
      do_eval: false,
      freeze_layers: 1,
      frozen_memory,
      ...more,
    });
    await trainReranker.run(settings, context);
    expect(await readdir(at(output))).not.toContain("frozen_states");
    return hashFile(at(output, "model.safetensors"));
  };
  const hash = await run(name, 100);
  expect(await run(`${name} on disk`, 0)).toBe(hash);
  const base = await readSafetensors(join(ENCODER, "model.safetensors"));
  const now = await readSafetensors(at(name, "model.safetensors"));
  const changed = [...now].filter(([key, { data }]) => {
    const before = base.get(key.replace(/^bert\./, ""))?.data;
    return !before || data.some((value, i) => !Object.is(value, before[i]));
  });
  expect(changed.filter(([key]) => /^bert\.(embeddings|encoder\.layer\.0)\./.test(key))).toEqual([]);
  // Two layers of 16 weights, or of 6 linear ones, and a head of pooler and classifier.
  expect(changed.length).toBeGreaterThanOrEqual(trained - 2);
  expect(now.size - base.size).toBe(4);
});
