import { rm, stat } from "node:fs/promises";
import { predictionSchema, readJsonl, writeJsonl } from "@rag-ft/core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runTestE2e } from "./run-test-e2e.js";
import { createSmallTest, fakeParts, type SmallTest } from "./testing/small-test.js";

let small: SmallTest;
beforeEach(async () => {
  small = await createSmallTest();
});
afterEach(() => rm(small.path("."), { recursive: true, force: true }));

test("questions of several kinds have figures by kind, in a table and a file; a test of one kind leaves none behind", async () => {
  const kinds = ["keywords", "full", "keywords"];
  const rows = small.rows.map((row, i) => ({ ...row, question_kind: kinds[i] }));
  await writeJsonl(small.path("test_w_qa.jsonl"), rows);
  const parts = () => fakeParts(() => ({ text: "blue boats", finish_reason: "stop" }));
  const { summary, outputs } = await runTestE2e(small.settingsOf(), small.contextOf(), parts());
  expect(summary).toMatch(/By kind of question\nkind +questions +recall@1 .*ROUGE-L/);
  expect(summary).toMatch(/^full +1 +1\.000/m);
  expect(summary).toMatch(/^keywords +2 +0\.500 \(/m);
  expect(outputs).toContain(small.path("out/by-kind.json"));
  const byKind =
    await small.json<Record<string, { questions: number; figures: Record<string, number> }>>("out/by-kind.json");
  expect(Object.keys(byKind)).toEqual(["full", "keywords"]);
  expect(byKind.full).toMatchObject({ questions: 1, figures: { "test_gen/exact_match": 1 } });
  expect(byKind.keywords).toMatchObject({
    questions: 2,
    figures: { "test_retr/document_recall/recall1": 1 / 2, "test_gen/exact_match": 0 },
  });
  const found = await readJsonl(small.path("out/test-predictions.jsonl"), predictionSchema, { what: "predictions" });
  expect(found.map(({ question_kind }) => question_kind)).toEqual(kinds);

  await writeJsonl(small.path("test_w_qa.jsonl"), small.rows);
  const plain = await runTestE2e(small.settingsOf(), small.contextOf(), parts());
  expect(plain.summary).not.toContain("By kind");
  await expect(stat(small.path("out/by-kind.json"))).rejects.toThrow();
});
