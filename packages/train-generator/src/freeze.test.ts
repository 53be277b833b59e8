import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createDocument, hashFile, silentReporter, writeJsonl } from "@rag-ft/core";
import { readSafetensors } from "@rag-ft/models";
import { stopAfter } from "@rag-ft/test-utils";
import { afterAll, beforeAll, expect, it } from "vitest";
import { trainGenerator } from "./index.js";

const DECODER = fileURLToPath(new URL("../../../data/models/tiny-decoder", import.meta.url));
const context = { reporter: silentReporter, signal: new AbortController().signal, env: {} };
const FROZEN = /^model\.(embed_tokens|layers\.[012])\./;
const rows = ["red", "green", "blue", "white"].map((colour, i) => ({
  gold_docs: [createDocument(`Cable ${i} is ${colour}.`, { source: `cable-${i}.md` })],
  hard_neg_docs: [],
  chat_history: [],
  question: `Which colour has cable ${i}?`,
  gold_answer: `It is ${colour}.`,
  line: i + 1,
}));

let folder: string;
const at = (...names: string[]): string => join(folder, ...names);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-freeze-"));
  await writeJsonl(
    at("documents.jsonl"),
    rows.flatMap((row) => row.gold_docs),
  );
  await writeJsonl(at("qa.jsonl"), rows);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const settings = (output: string, more: Record<string, unknown> = {}) =>
  trainGenerator.settings.parse({
    model_name_or_path: DECODER,
    embedding_model: "unused",
    retrieval: "bm25",
    embedding_max_num_to_retrieve: 1,
    full_dataset_file_path: at("documents.jsonl"),
    train_file: at("qa.jsonl"),
    eval_file: at("qa.jsonl"),
    output_dir: at(output),
    per_device_train_batch_size: 2,
    max_steps: 4,
    eval_steps: 2,
    learning_rate: 1e-3,
    save_onnx: false,
    freeze_layers: 3,
    ...more,
  });

async function changed(name: string): Promise<string[]> {
  const base = await readSafetensors(join(DECODER, "model.safetensors"));
  return [...(await readSafetensors(at(name, "model.safetensors")))]
    .filter(([key, { data }]) => !data.every((value, i) => Object.is(value, base.get(key)?.data[i])))
    .map(([key]) => key);
}

it("learns above what is frozen, which stays to the bit; stopped and resumed on disk it ends the same", async () => {
  const { summary } = await trainGenerator.run(settings("run"), context);
  const losses = (await readFile(at("run/eval.jsonl"), "utf8"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).eval_loss as number);
  expect(losses.at(-1)).toBeLessThan((losses[0] as number) * 0.98);
  expect(summary).toContain("held fixed: the embeddings and the first 3 of 5 layers");
  const names = await changed("run");
  expect(names.length).toBeGreaterThan(15);
  expect(names.filter((name) => FROZEN.test(name))).toEqual([]);

  const onDisk = { frozen_memory: 0 };
  const stop = { ...context, ...stopAfter(2) };
  await expect(trainGenerator.run(settings("stopped", onDisk), stop)).rejects.toThrow(/after step 2 of 4/);
  expect(await readdir(at("stopped"))).toContain("frozen_states");
  await trainGenerator.run(settings("stopped", onDisk), context);
  expect(await hashFile(at("stopped/model.safetensors"))).toBe(await hashFile(at("run/model.safetensors")));
  expect(await readdir(at("stopped"))).not.toContain("frozen_states");
});

it.each([
  ["fp32", {}],
  ["bf16", { base_dtype: "bf16" }],
])("adapters are on the layers above alone: %s", async (name, more) => {
  const lora = { lora_r: 2, learning_rate: 2e-2, ...more };
  await trainGenerator.run(settings(`lora-${name}`, lora), context);
  const adapter = await readSafetensors(at(`lora-${name}/adapter/adapter_model.safetensors`));
  expect(adapter.size).toBe(2 * 7 * 2);
  expect([...adapter.keys()].every((key) => /\.layers\.[34]\./.test(key))).toBe(true);
  const config = JSON.parse(await readFile(at(`lora-${name}/adapter/adapter_config.json`), "utf8"));
  expect(config.target_modules).toHaveLength(14);
});

it("as many layers as there are is an error before anything is written", async () => {
  await expect(trainGenerator.run(settings("all", { freeze_layers: 5 }), context)).rejects.toThrow(
    /freeze_layers is 5, but .* has 5 layers.*Give at most 4\./,
  );
  expect(await readdir(folder)).not.toContain("all");
});
