import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createDocument, writeJsonl } from "@rag-ft/core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { main } from "./app.js";
import { createMemoryIo } from "./testing/memory-io.js";

const ENCODER = fileURLToPath(new URL("../../../data/models/tiny-encoder", import.meta.url));
const RERANKER = fileURLToPath(new URL("../../models/src/fixtures/st-bert", import.meta.url));
const TOPICS = ["timeout", "retries", "proxy", "cookies", "streaming", "headers"];

let folder: string;
const at = (name: string): string => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-distil-"));
  const documents = TOPICS.map((topic) =>
    createDocument(`The option called ${topic} controls ${topic} of a request.`, { source: `${topic}.md` }),
  );
  await writeJsonl(at("documents.jsonl"), documents);
  const rows = documents.map((document, i) => ({
    gold_docs: [document],
    hard_neg_docs: [],
    chat_history: [],
    questions: [`What controls ${TOPICS[i]} of a request?`],
  }));
  await writeJsonl(at("w_q.jsonl"), rows);
  await writeFile(
    at("run.yaml"),
    `name: taught
work_dir: ${folder}/work
stages:
  - stage: score-passages
    with: { question_files: ${at("w_q.jsonl")}, document_path: ${at("documents.jsonl")}, reranker: ${RERANKER}, retrieval: bm25, num_docs: 3, output_file: "\${work_dir}/scores.jsonl" }
  - stage: train-retriever
    with: { model_path: ${ENCODER}, full_dataset_file_path: ${at("documents.jsonl")}, train_file: ${at("w_q.jsonl")}, eval_file: ${at("w_q.jsonl")}, distil_from: "\${work_dir}/scores.jsonl", do_eval: false, max_steps: 1, save_onnx: false, output_dir: "\${work_dir}/retriever" }
`,
  );
});

afterAll(() => rm(folder, { recursive: true, force: true }));

it("a run scores passages and trains on the scores; a dry run says that both ask no model, and writes nothing", {
  timeout: 180_000,
}, async () => {
  const dry = createMemoryIo();
  expect({ code: await main(["run", at("run.yaml"), "--dry_run"], dry), stderr: dry.stderr }).toEqual({
    code: 0,
    stderr: "",
  });
  expect(dry.stdout).toMatch(/^score-passages +asks no model[\s\S]*^train-retriever +asks no model/m);
  expect(existsSync(at("work"))).toBe(false);
  const paid = createMemoryIo();
  const bought = ["score-passages.retrieval=dense", "score-passages.embedding_model=text-embedding-3-small"];
  const sets = bought.flatMap((one) => ["--set", one]);
  expect(await main(["run", at("run.yaml"), "--dry_run", ...sets], paid), paid.stderr).toBe(0);
  expect(paid.stdout).toMatch(/^score-passages +vectors +text-embedding-3-small +\d/m);

  const io = createMemoryIo();
  expect(await main(["run", at("run.yaml")], io), io.stderr).toBe(0);
  expect(io.log).toMatch(/0\.5 of the loss is kl to the reranker .*st-bert/);
  const again = createMemoryIo();
  expect(await main(["run", at("run.yaml")], again)).toBe(0);
  expect(again.log).not.toMatch(/scoring|of the loss/);
  const manifest = JSON.parse(await readFile(at("work/retriever/manifest.train-retriever.json"), "utf8"));
  expect(manifest).toMatchObject({ distilled_from: { kind: "reranker", model: RERANKER } });
});

it("cross-validate hands the scores to each fold, which need not be of its questions alone", {
  timeout: 180_000,
}, async () => {
  const flags: Record<string, string> = {
    model_path: ENCODER,
    full_dataset_file_path: at("documents.jsonl"),
    question_files: at("w_q.jsonl"),
    output_dir: at("folds"),
    folds: "3",
    do_eval: "false",
    max_steps: "1",
    distil_from: at("work/scores.jsonl"),
    distil_loss: "margin_mse",
  };
  const io = createMemoryIo();
  const line = ["cross-validate", ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value])];
  expect(await main(line, io), io.stderr).toBe(0);
  expect(io.log.match(/0\.5 of the loss is margin_mse to the reranker/g)).toHaveLength(3);
});
