import { copyFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createDocument, documentId, readQuestions, silentReporter, writeJsonl } from "@rag-ft/core";
import { afterEach, beforeEach, expect, it } from "vitest";
import { mineNegatives, mineNegativesSettings } from "./index.js";

const ENCODER = fileURLToPath(new URL("../../../data/models/tiny-encoder", import.meta.url));
const context = { reporter: silentReporter, signal: new AbortController().signal, env: {} };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mine-negatives-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const THINGS = "proxy cache retry timeout header cookie stream buffer socket cluster worker signal".split(" ");
const documents = THINGS.map((thing, i) =>
  createDocument(`The ${thing} option number ${i} sets how the ${thing} of a request is used by the ${thing} pool.`, {
    source: `docs/${thing}`,
  }),
);

async function run(more: Record<string, unknown> = {}) {
  const settings = { document_path: join(folder, "documents.jsonl"), embedding_model: ENCODER, negative_margin: 1 };
  return mineNegatives.run(
    mineNegativesSettings.parse({ ...settings, dataset_w_q: folder, save_dir: join(folder, "mined"), ...more }),
    context,
  );
}

it("writes all splits under their names in another folder, twice the same, and leaves the questions as they were", async () => {
  await writeJsonl(join(folder, "documents.jsonl"), documents);
  const rows = documents.map((gold, i) => ({
    gold_docs: [gold],
    hard_neg_docs: [],
    chat_history: [],
    questions: [`What does the ${THINGS[i]} option do?`],
    generator: "hand",
  }));
  const train = join(folder, "train_w_q.jsonl");
  await writeJsonl(train, rows);
  await copyFile(train, join(folder, "test_w_q.jsonl"));
  const before = await readFile(train, "utf8");
  const { outputs, figures, summary } = await run();
  expect(outputs).toEqual(["train", "test"].map((split) => join(folder, "mined", `${split}_w_q.jsonl`)));
  const mined = await readQuestions(outputs[0] as string);
  expect(mined.map(({ hard_neg_docs: _, ...row }) => row)).toEqual(rows.map(({ hard_neg_docs: _, ...row }) => row));
  let negatives = 0;
  for (const row of mined) {
    negatives += row.hard_neg_docs.length;
    expect(row.hard_neg_docs.map(documentId)).not.toContain(row.gold_docs.map(documentId)[0]);
  }
  expect(negatives).toBeGreaterThan(THINGS.length);
  expect(figures?.negatives).toBe(2 * negatives);
  expect(summary).toMatch(/train_w_q\.jsonl +12/);
  await run({ save_dir: join(folder, "again") });
  expect(await readFile(join(folder, "again", "test_w_q.jsonl"), "utf8")).toBe(
    await readFile(outputs[0] as string, "utf8"),
  );
  expect(await readFile(train, "utf8")).toBe(before);
  await expect(run({ save_dir: folder })).rejects.toThrow(/would take the place of the questions.*--save_dir/);
});
