import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createDocument, writeJsonl } from "@rag-ft/core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { main } from "./app.js";
import { createMemoryIo } from "./testing/memory-io.js";

const ENCODER = fileURLToPath(new URL("../../../data/models/tiny-encoder", import.meta.url));
const TOPICS = ["timeout", "retries", "proxy", "cookies", "streaming", "headers", "caching", "redirects", "uploads"];

let folder: string;
const at = (name: string): string => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-folds-"));
  const documents = TOPICS.map((topic) =>
    createDocument(`The option called ${topic} controls ${topic} of a request.`, { source: `${topic}.md` }),
  );
  await writeJsonl(at("documents.jsonl"), documents);
  const rows = documents.map((document, i) => ({
    gold_docs: [document],
    hard_neg_docs: [],
    chat_history: [],
    questions: [`What is ${TOPICS[i]} for?`, `Explain feature ${i}`],
  }));
  await writeJsonl(at("first_w_q.jsonl"), rows.slice(0, 5));
  await writeJsonl(at("second_w_q.jsonl"), rows.slice(5));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

const commandLine = (output: string, more: Record<string, string> = {}): string[] => {
  const flags: Record<string, string> = {
    model_path: ENCODER,
    full_dataset_file_path: at("documents.jsonl"),
    question_files: `${at("first_w_q.jsonl")},${at("second_w_q.jsonl")}`,
    output_dir: at(output),
    folds: "3",
    learning_rate: "1e-3",
    max_steps: "2",
    per_device_train_batch_size: "4",
    ...more,
  };
  return ["cross-validate", ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value])];
};

it("trains and tests each fold, and says what changed; done work is not done again", async () => {
  const io = createMemoryIo();
  expect(await main(commandLine("run"), io)).toBe(0);
  const text = await readFile(at("run/cross-validation.json"), "utf8");
  const found = JSON.parse(text);
  expect(found.questions).toBe(18);
  expect(found.folds).toEqual([1, 2, 3].map(() => ({ train: 6, eval: 6, test: 6 })));
  expect(found.systems.map(({ name }: { name: string }) => name)).toEqual([
    "BM25",
    "base",
    "base + BM25",
    "tuned",
    "tuned + BM25",
  ]);
  // The figures are those of the folds' own tests, each question once.
  const base = found.systems[1].figures["test_retr/document_recall/recall1"];
  const ofFolds = await Promise.all(
    [1, 2, 3].map(async (fold) => {
      const score = JSON.parse(await readFile(at(`run/tuned/fold-${fold}-test/score.json`), "utf8"));
      return score.systems[1].figures["test_retr/document_recall/recall1"];
    }),
  );
  expect(base).toBeCloseTo(ofFolds.reduce((a, b) => a + b, 0) / 3, 12);
  const change = found.differences.find(
    (one: { to: string; from: string; figure: string }) =>
      one.to === "tuned + BM25" && one.from === "base" && one.figure === "test_retr/near_recall/recall1",
  );
  expect(change).toMatchObject({ n: 18, ci95: [expect.any(Number), expect.any(Number)] });
  expect(io.stdout).toContain("18 questions in 3 folds by source");
  expect(io.log).toMatch(/3 trainings \(1 of each of 3 folds\), about .* each/);
  expect(io.log).toContain("[6/6] tuned/fold-3/test (test-retriever)");

  const again = createMemoryIo();
  expect(await main(commandLine("run"), again)).toBe(0);
  expect(again.log.match(/done already/g)).toHaveLength(6 + 1);
  expect(await readFile(at("run/cross-validation.json"), "utf8")).toBe(text);
});

it("chooses a recipe by the eval questions, says whether more questions would help, and what is lost elsewhere", async () => {
  const foreign = { foreign_question_files: at("first_w_q.jsonl"), foreign_dataset_file_path: at("documents.jsonl") };
  const more = { learning_rate: "1e-3,1e-12", learning_curve: "0.5", save_onnx: "false", ...foreign };
  const io = createMemoryIo();
  expect(await main(commandLine("tuned", more), io)).toBe(0);
  const found = JSON.parse(await readFile(at("tuned/cross-validation.json"), "utf8"));
  const names = found.systems.map(({ name }: { name: string }) => name);
  expect(names.slice(-2)).toEqual(["chosen in each fold", "chosen in each fold + BM25"]);
  expect(found.recipe.in_folds).toHaveLength(3);
  expect([1e-3, 1e-12]).toContain(found.recipe.learning_rate);
  // Nothing else than what its fold's choice measured.
  const chosen = found.systems.at(-2).figures["test_retr/document_recall/recall1"];
  const ofFolds = await Promise.all(
    found.recipe.in_folds.map(async (name: string, i: number) => {
      const path = at(`tuned/${name.replace(" ", "-")}/fold-${i + 1}-test/score.json`);
      return JSON.parse(await readFile(path, "utf8")).systems[3].figures["test_retr/document_recall/recall1"];
    }),
  );
  expect(chosen).toBeCloseTo(ofFolds.reduce((a, b) => a + b, 0) / 3, 12);
  expect(found.learning_curve.points).toEqual([
    expect.objectContaining({ share: 0.5, questions: 4 }),
    expect.objectContaining({ share: 1, questions: 6 }),
  ]);
  expect(io.stdout).toMatch(/Train with: --learning_rate \S+/);
  expect(io.stdout).toMatch(/more questions would help cannot be told|More questions would|More of these questions/);
  expect(io.stdout).toMatch(/first_w_q\.jsonl, 10 questions of another field/);
  expect(found.foreign[0].differences[0]).toMatchObject({ kind: "dense", n: 10 });
  const again = createMemoryIo();
  expect(await main(commandLine("tuned", more), again)).toBe(0);
  expect(again.log).not.toMatch(/step 2/);
}, 180_000);

it("a time that is too short is said after the first fold, and what is done stays", async () => {
  const io = createMemoryIo();
  expect(await main(commandLine("hurried", { time_budget: "0.0001" }), io)).toBe(2);
  expect(io.stderr).toMatch(/time_budget: one variant takes about .* too few/);
  expect(existsSync(at("hurried/tuned/fold-1/model.safetensors"))).toBe(true);
  expect(existsSync(at("hurried/tuned/fold-2"))).toBe(false);
});

it("without evaluations measures the last step", async () => {
  const io = createMemoryIo();
  expect(await main(commandLine("last", { do_eval: "false", learning_rate: "1e-12" }), io)).toBe(0);
  expect(existsSync(at("last/tuned/fold-1/choice.json"))).toBe(false);
  expect(existsSync(at("last/tuned/fold-1/model.safetensors"))).toBe(true);
  expect(JSON.parse(await readFile(at("last/cross-validation.json"), "utf8")).questions).toBe(18);
});

it("only says how long it would take", async () => {
  const io = createMemoryIo();
  expect(await main(commandLine("estimate", { estimate_only: "true" }), io)).toBe(0);
  expect(io.log).toContain("3 trainings");
  expect(existsSync(at("estimate/folds"))).toBe(false);
});

it.each([
  [{ folds: "10" }, "9 sources have questions: too few for 10 folds"],
  [{ learning_rate: "1e-3,0.001" }, "A value stands twice in one of the lists"],
  [{ question_files: "nowhere.jsonl" }, "nowhere.jsonl"],
  [{ foreign_question_files: "a.jsonl" }, "belong together"],
  [{ do_eval: "false", learning_rate: "1e-3,1e-4", learning_curve: "0.5" }, "need do_eval true"],
])("refuses %j", async (more, message) => {
  const io = createMemoryIo();
  expect(await main(commandLine("refused", more as Record<string, string>), io)).toBe(2);
  expect(io.stderr).toContain(message);
});
