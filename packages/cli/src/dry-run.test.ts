// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${name} is the syntax of run configurations
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDocument, writeJsonl } from "@rag-ft/core";
import { afterEach, beforeEach, expect, it } from "vitest";
import { main } from "./app.js";
import { ENCODER } from "./testing/flow-flags.js";
import { createMemoryIo } from "./testing/memory-io.js";
import { writeGuides } from "./testing/write-guides.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dry-run-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function dryRun(model: string, documents = join(folder, "documents.jsonl"), tokenizer = "none") {
  const config = join(folder, "run.yaml");
  await writeFile(
    config,
    `name: planned
work_dir: ${folder}/work
stages:
  - stage: prepare-docs
    with: { document_path: ${folder}/guides, tokenizer: ${tokenizer}, save_dir: "\${work_dir}" }
  - stage: gen-questions
    with: { document_path: ${documents}, prompt_model: ${model}, num_train_data: 20, num_eval_test_data: 8, save_dir: "\${work_dir}/q" }
  - stage: gen-answers
    with: { dataset_w_q: "\${work_dir}/q", prompt_model: gpt-4.1, save_dir: "\${work_dir}/a" }
  - stage: test-e2e
    with: { qa_model_name_or_path: openai:gpt-4.1-mini, embedding_model_name_or_path: none, document_path: ${documents}, eval_data_path: "\${work_dir}/a/test_w_qa.jsonl", output_dir: "\${work_dir}/t", gen_gpt4eval: true, judge_model: gpt-4.1 }
`,
  );
  const io = createMemoryIo();
  const code = await main(["run", config, "--dry_run"], io);
  return { code, stdout: io.stdout, stderr: io.stderr };
}

it("rag-ft run --dry_run plans every stage from what those before it would write; no key, nothing written", async () => {
  const words = (i: number): string => Array.from({ length: 40 }, (_, w) => `word${i}x${w}`).join(" ");
  const documents = Array.from({ length: 40 }, (_, i) =>
    createDocument(`Part ${i}. ${words(i)}`, { source: `page-${i % 8}` }),
  );
  await writeJsonl(join(folder, "documents.jsonl"), documents);
  const { code, stdout, stderr } = await dryRun("gpt-4.1-mini");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(/^gen-questions +questions +gpt-4\.1-mini +14 +0 /m);
  expect(stdout).toMatch(/^gen-answers +answers +gpt-4\.1 +28 +0 /m);
  expect(stdout).toMatch(/^test-e2e +answers +gpt-4\.1-mini +4 +0 /m);
  expect(stdout).toMatch(/^test-e2e +judge +gpt-4\.1 +4 +0 /m);
  expect(stdout).toMatch(/^total +50 +0 +\d+ +\d+ +0\.0\d+$/m);
  expect(existsSync(join(folder, "work"))).toBe(false);
  expect((await dryRun("my-model")).stdout).toMatch(/^total.* no price$[\s\S]*has no price for "my-model"\. Add it/m);
});

it("plans from what prepare-docs would make where nothing was made yet, and comes to the same once it has run", async () => {
  await writeGuides(join(folder, "guides"));
  const documents = join(folder, "work", "documents.jsonl");
  const before = await dryRun("gpt-4.1-mini", documents, ENCODER);
  expect({ code: before.code, stderr: before.stderr }).toEqual({ code: 0, stderr: "" });
  expect(before.stdout).toMatch(/^test-e2e +judge +gpt-4\.1 +4 +0 /m);
  expect(existsSync(join(folder, "work"))).toBe(false);
  const made = await main(["run", join(folder, "run.yaml"), "--only", "prepare-docs"], createMemoryIo());
  expect(made).toBe(0);
  const after = await dryRun("gpt-4.1-mini", documents, ENCODER);
  expect(after.stdout).toMatch(/^prepare-docs +done already/m);
  const figures = (text: string): string[] =>
    text
      .split("\n")
      .filter((line) => !/^(prepare-docs|-)/.test(line))
      .map((line) => line.replace(/ +/g, " "));
  expect(figures(after.stdout)).toEqual(figures(before.stdout));
});

it("says which free stage has to run first when documents are missing", async () => {
  const { code, stderr } = await dryRun("gpt-4.1-mini", join(folder, "work", "documents.jsonl"));
  expect(code).toBe(2);
  expect(stderr).toMatch(/gen-questions cannot be planned: .*documents\.jsonl: no such file[\s\S]*--only prepare-docs/);
});

it("the whole quickstart can be planned before anything was made: what follows a training is known when that has run", async () => {
  await writeGuides(join(folder, "guides"));
  const config = join(folder, "run.yaml");
  await writeFile(
    config,
    `name: planned
work_dir: ${folder}/work
stages:
  - stage: prepare-docs
    with: { document_path: ${folder}/guides, tokenizer: ${ENCODER}, save_dir: "\${work_dir}" }
  - stage: gen-questions
    with: { document_path: "\${work_dir}/documents.jsonl", prompt_model: extractive, num_train_data: 20, num_eval_test_data: 8, save_dir: "\${work_dir}/q" }
  - stage: gen-answers
    with: { dataset_w_q: "\${work_dir}/q", prompt_model: extractive, save_dir: "\${work_dir}/a" }
  - stage: train-generator
    with: { model_name_or_path: none, embedding_model: ${ENCODER}, full_dataset_file_path: "\${work_dir}/documents.jsonl", train_file: "\${work_dir}/a/train_w_qa.jsonl", eval_file: "\${work_dir}/a/eval_w_qa.jsonl", output_dir: "\${work_dir}/g" }
  - stage: test-e2e
    with: { qa_model_name_or_path: "\${work_dir}/g", embedding_model_name_or_path: ${ENCODER}, document_path: "\${work_dir}/documents.jsonl", eval_data_path: "\${work_dir}/a/test_w_qa.jsonl", output_dir: "\${work_dir}/t" }
`,
  );
  const io = createMemoryIo();
  expect({ code: await main(["run", config, "--dry_run"], io), stderr: io.stderr }).toEqual({ code: 0, stderr: "" });
  expect(io.stdout).toMatch(/^test-e2e +known when train-generator has run/m);
});
