import { cp, mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { findSystem } from "./find-system.js";

let home = "";
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "rag-ft-run-"));
});
afterEach(() => rm(home, { recursive: true, force: true }));

/** A stage's record, in the folder of its output below `run`; its paths are those of a run that was called so from `home`. */
async function record(command: string, output: string, settings: object, started_at = "2026-01-01"): Promise<void> {
  const folder = join(home, output);
  await mkdir(folder, { recursive: true });
  await writeFile(
    join(folder, `manifest.${command}.json`),
    JSON.stringify({ command, working_directory: home, settings: { ...settings, output_dir: output }, started_at }),
  );
}

const TRAINING = {
  embedding_model: "run/retriever",
  full_dataset_file_path: "run/documents.jsonl",
  retrieval: "hybrid",
  embedding_max_num_to_retrieve: 3,
};
const TEST = {
  qa_model_name_or_path: "run/generator",
  embedding_model_name_or_path: "run/retriever",
  document_path: "run/documents.jsonl",
  retrieval: "bm25",
  max_new_tokens: 64,
};

async function trainedRun(): Promise<void> {
  await record("train-retriever", "run/retriever", { full_dataset_file_path: "run/documents.jsonl" });
  await record("train-generator", "run/generator", TRAINING);
  await writeFile(join(home, "run/documents.jsonl"), "");
}

it("finds the generator that was trained, with what it was trained over", async () => {
  await trainedRun();
  const run = join(home, "run");
  expect(await findSystem(run)).toEqual({
    qa_model_name_or_path: join(run, "generator"),
    embedding_model_name_or_path: join(run, "retriever"),
    document_path: join(run, "documents.jsonl"),
    index_path: join(run, "index"),
    retrieval: "hybrid",
    embedding_max_num_to_retrieve: 3,
  });
});

it("takes it as it was tested last, and no test of another generator", async () => {
  await trainedRun();
  await record("test-e2e", "run/tuned", TEST, "2026-01-02");
  await record("test-e2e", "run/base", { ...TEST, qa_model_name_or_path: "org/base" }, "2026-01-03");
  const system = await findSystem(join(home, "run"));
  expect(system).toMatchObject({ retrieval: "bm25", max_new_tokens: 64 });
  expect(system.qa_model_name_or_path).toBe(join(home, "run/generator"));
});

it("finds all of it where the run was moved to, and leaves names of models as they are", async () => {
  await trainedRun();
  await record("train-generator", "run/generator", { ...TRAINING, embedding_model: "org/encoder" });
  await rename(join(home, "run"), join(home, "moved"));
  expect(await findSystem(join(home, "moved"))).toMatchObject({
    qa_model_name_or_path: join(home, "moved/generator"),
    embedding_model_name_or_path: "org/encoder",
    document_path: join(home, "moved/documents.jsonl"),
  });
});

it("names the part that a copy lacks, and does not take it from the run that it was copied from", async () => {
  await trainedRun();
  await mkdir(join(home, "copy"));
  await cp(join(home, "run/generator"), join(home, "copy/generator"), { recursive: true });
  const { embedding_model_name_or_path, document_path } = await findSystem(join(home, "copy"));
  expect(embedding_model_name_or_path).toBe(join(home, "copy/retriever"));
  expect(document_path).toBe(join(home, "copy/documents.jsonl"));
});

it("takes the folder of the generator alone, and a retriever that was trained without one", async () => {
  await trainedRun();
  const generator = join(home, "run/generator");
  expect(await findSystem(generator)).toMatchObject({
    qa_model_name_or_path: generator,
    document_path: join(home, "run/documents.jsonl"),
  });
  const retriever = join(home, "run/retriever");
  const system = await findSystem(retriever);
  expect(system).toMatchObject({ embedding_model_name_or_path: retriever });
  expect(system.qa_model_name_or_path).toBeUndefined();
});

it("takes the YAML file of the run", async () => {
  await trainedRun();
  const config = join(home, "run.yaml");
  await writeFile(config, `name: x\nwork_dir: ${join(home, "run")}\n`);
  expect((await findSystem(config)).document_path).toBe(join(home, "run/documents.jsonl"));
  await writeFile(config, "name: x\n");
  await expect(findSystem(config)).rejects.toThrow(/names no work_dir/);
  await writeFile(config, `work_dir: ${join(home, "nowhere")}\n`);
  await expect(findSystem(config)).rejects.toThrow(/Run it first/);
});

it("says what a folder lacks", async () => {
  await expect(findSystem(join(home, "none"))).rejects.toThrow(/no such folder/);
  await expect(findSystem(home)).rejects.toThrow(/holds no system/);
});
