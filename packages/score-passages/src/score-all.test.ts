import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDocument, silentReporter } from "@rag-ft/core";
import { readPassageScores } from "@rag-ft/retrieval";
import { afterAll, beforeAll, expect, it } from "vitest";
import { scoreAll } from "./score-all.js";
import type { OpenedTeacher } from "./teacher.js";

const context = { reporter: silentReporter, signal: new AbortController().signal };
const passages = ["one", "two"].map((text) => createDocument(text, { source: `${text}.md` }));
const questions = ["first?", "second?", "third?"].map((question) => ({
  question,
  gold_docs: passages.slice(0, 1),
  hard_neg_docs: [],
}));
let output: string;

beforeAll(async () => {
  output = join(await mkdtemp(join(tmpdir(), "rag-ft-score-all-")), "scores.jsonl");
});
afterAll(() => rm(join(output, ".."), { recursive: true, force: true }));

/** Scores by the question; `asked` has those that were. */
function teacher(scoreOf: (question: string) => number): OpenedTeacher & { asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    teacher: { kind: "reranker", model: "some-model", hash: "h" },
    reads: ({ question }) => question,
    async score({ question }) {
      asked.push(question);
      return [1, scoreOf(question)];
    },
    close: async () => {},
  };
}

it("a score that is no number stops it, by name; what was scored before is kept, and not scored again", async () => {
  const lists = questions.map(() => passages);
  const broken = teacher((question) => (question === "second?" ? Number.NaN : 2));
  await expect(scoreAll(questions, lists, broken, output, context)).rejects.toThrow(
    /^some-model: its score of passage [0-9a-f]{16} for "second\?" is NaN, expected a finite number/,
  );
  expect(await readPassageScores(`${output}.partial`)).toHaveLength(1);
  const mended = teacher(() => 3);
  const { rows, kept } = await scoreAll(questions, lists, mended, output, context);
  expect(kept).toBe(1);
  expect(mended.asked).toEqual(["second?", "third?"]);
  expect(rows.map((row) => row.passages[1]?.score)).toEqual([2, 3, 3]);
  expect((await readPassageScores(output)).map(({ row }) => row)).toEqual(rows);
});
