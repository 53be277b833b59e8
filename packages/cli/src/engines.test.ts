import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDocument, writeJsonl } from "@rag-ft/core";
import { TINY_DECODER, TINY_ENCODER, writeEngineResult } from "@rag-ft/test-utils";
import { afterAll, beforeAll, expect, it } from "vitest";
import { stringify } from "yaml";
import { main } from "./app.js";
import { createMemoryIo } from "./testing/memory-io.js";

let folder: string;
const at = (...names: string[]): string => join(folder, ...names);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-"));
  const rows = ["red", "green", "blue", "white"].map((colour, i) => ({
    gold_docs: [createDocument(`Cable ${i} is ${colour}.`, { source: `cable-${i}.md` })],
    ...{ hard_neg_docs: [], chat_history: [] },
    question: `Which colour has cable ${i}?`,
    gold_answer: `It is ${colour}.`,
  }));
  await writeJsonl(
    at("documents.jsonl"),
    rows.flatMap((row) => row.gold_docs),
  );
  await writeJsonl(at("w_qa.jsonl"), rows);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function rag(...argv: string[]) {
  const io = createMemoryIo();
  const code = await main(argv, io);
  return { code, stdout: io.stdout, stderr: io.stderr };
}

const generator = () => ({
  ...{ model_name_or_path: TINY_DECODER, embedding_model: TINY_ENCODER, embedding_max_num_to_retrieve: 1 },
  full_dataset_file_path: at("documents.jsonl"),
  ...{ train_file: at("w_qa.jsonl"), eval_file: at("w_qa.jsonl"), output_dir: at("work", "generator") },
  ...{ engine: "trl", engine_python: "none", measured_by: "engine", per_device_train_batch_size: 2, save_onnx: false },
});

const result = (better: number) => ({
  files: {
    "model.safetensors": join(TINY_DECODER, "model.safetensors"),
    "config.json": join(TINY_DECODER, "config.json"),
  },
  step: 2,
  log: [
    { step: 0, eval_loss: 4 },
    { step: 2, loss: 3 },
    { step: 2, eval_loss: better },
  ],
});

it("a run stops where another engine trains, says how to go on, and goes on after import", async () => {
  const test = {
    ...{ qa_model_name_or_path: at("work", "generator"), embedding_model_name_or_path: TINY_ENCODER },
    ...{ document_path: at("documents.jsonl"), eval_data_path: at("w_qa.jsonl"), output_dir: at("work", "test") },
    ...{ max_new_tokens: 4, embedding_max_num_to_retrieve: 1 },
  };
  const stages = [
    { stage: "train-generator", with: generator() },
    { stage: "test-e2e", with: test },
  ];
  await writeFile(at("run.yaml"), stringify({ name: "elsewhere", work_dir: at("work"), stages }));
  const stopped = await rag("run", at("run.yaml"));
  expect(stopped.code).toBe(5);
  expect(stopped.stderr).toMatch(/The job is in .*generator.engine\. .*then: rag-ft import /);
  const job = at("work", "generator", "engine");
  await writeEngineResult(job, result(3));
  const taken = await rag("import", job);
  expect(taken).toMatchObject({ code: 0, stdout: expect.stringContaining("Step 2 beats the base") });
  await rm(join(job, "result"), { recursive: true });
  const goneOn = await rag("run", at("run.yaml"));
  expect(goneOn).toMatchObject({ code: 0, stderr: "" });
  // The stage finds what was taken in: with the result gone, too, nothing is asked for again.
  expect(goneOn.stdout).toMatch(/test-e2e +run/);
  const record = JSON.parse(await readFile(at("work", "generator", "manifest.train-generator.json"), "utf8"));
  expect(record.engine).toMatchObject({ name: "trl", versions: { torch: "2.15.0" } });
  expect((await rag("run", at("run.yaml"))).stdout).toMatch(
    /train-generator +done already[\s\S]*test-e2e +done already/,
  );
}, 120_000);

it("rag-ft export takes a stage with its own flags, and tells it from a model", async () => {
  const flags = Object.entries({ ...generator(), output_dir: at("exported") }).flatMap(([name, value]) => [
    `--${name}`,
    String(value),
  ]);
  const written = await rag("export", "train-generator", ...flags);
  expect(written).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/job \w{16} for trl\. Next: bash .*run\.sh/),
  });
  expect(await rag("export", "train-generator", ...flags, "--engine", "local")).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/engine is local, which needs no folder\. Give --engine trl/),
  });
  expect(await rag("export", "gen-answers", "--to", "q8")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("gen-answers"),
  });
  expect(await rag("import", at("exported"))).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/job\.json is missing\. Give the folder that rag-ft export wrote/),
  });
  expect(await rag("import", at("exported", "engine"))).toMatchObject({
    code: 5,
    stderr: expect.stringContaining("nothing has come back yet"),
  });
}, 60_000);
