import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDocument, writeJsonl } from "@rag-ft/core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { main } from "./app.js";
import { createMemoryIo } from "./testing/memory-io.js";

let folder: string;
const at = (...names: string[]): string => join(folder, ...names);

async function command(...argv: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const io = createMemoryIo();
  const code = await main(argv, io);
  return { code, stdout: io.stdout, stderr: io.stderr };
}

const documents = ["red lamp", "green door", "blue lamp", "grey wall"].map((text, i) =>
  createDocument(text, { source: `docs/${i}` }),
);
const asked = (questions: string[]) =>
  questions.map((question, i) => ({
    gold_docs: documents.slice(i, i + 1),
    hard_neg_docs: [],
    chat_history: [],
    questions: [question],
  }));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-compare-runs-"));
  await writeJsonl(at("documents.jsonl"), documents);
  await writeJsonl(at("test_w_q.jsonl"), asked(["Where is the red lamp?", "a door", "a lamp that is blue", "grey"]));
  await writeJsonl(at("other_w_q.jsonl"), asked(["red"]));
});
afterAll(() => rm(folder, { recursive: true }));

const test = (output: string, ...more: string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
  command("test-retriever", "--document_path", at("documents.jsonl"), "--output_dir", at(output), ...more);

it("test-retriever's output goes into compare A B, and both leave a run record", async () => {
  const tested = await test("out", "--eval_data_path", at("test_w_q.jsonl"), "--ks", "1,2");
  expect(tested).toMatchObject({ code: 0, stderr: "" });
  expect(tested.stdout).toMatch(/^BM25 +1\.000 \[0\.510, 1\.000\]/m);
  const compared = await command("compare", at("out/BM25"), at("out/BM25"), "--out", at("compared/result.json"));
  expect(compared).toMatchObject({ code: 0, stderr: "" });
  expect(compared.stdout).toMatch(/4 questions, paired/);
  expect(JSON.parse(await readFile(at("compared/result.json"), "utf8"))).toMatchObject({ questions: 4 });
  for (const record of ["out/manifest.test-retriever.json", "compared/manifest.compare.json"]) {
    expect(Object.keys(JSON.parse(await readFile(at(record), "utf8")).inputs).length).toBeGreaterThan(0);
  }
});

it("mistakes end with 2 and say what to do", async () => {
  await test("first", "--eval_data_path", at("test_w_q.jsonl"));
  await test("second", "--eval_data_path", at("other_w_q.jsonl"));
  const different = await command("compare", at("first/BM25"), at("second/BM25"));
  expect(different).toMatchObject({ code: 2, stdout: "" });
  expect(different.stderr).toMatch(/not over the same questions/);
  const one = await command("compare", at("first/BM25"));
  expect(one).toMatchObject({ code: 2 });
  expect(one.stderr).toMatch(/--run_b: is required/);
  const three = await command("compare", "a", "b", "c");
  expect(three.stderr).toMatch(/unexpected argument "c"/);
  const depths = await test("third", "--eval_data_path", at("test_w_q.jsonl"), "--ks", "0,x");
  expect(depths).toMatchObject({ code: 2 });
  expect(depths.stderr).toMatch(/--ks: expected/);
});
