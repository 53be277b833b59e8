import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createDocument,
  readQa,
  readQuestions,
  silentReporter,
  type TurnRow,
  type VoteRow,
  writeJsonl,
} from "@rag-ft/core";
import { afterEach, beforeEach, expect, it } from "vitest";
import { collect } from "./index.js";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-collect-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const passage = (n: number) =>
  createDocument(`Boat number ${n} is painted blue and floats on lake ${n}.`, { source: `${n}.md` });
const OTHER = createDocument("Cars stop at red lights.", { source: "cars.md" });

const turn = (n: number, more: Partial<TurnRow> = {}): TurnRow => ({
  kind: "turn",
  id: `t${n}`,
  time: "2026-01-01T00:00:00.000Z",
  question: `Where does boat ${n} float?`,
  chat_history: [],
  answer: `Boat number ${n} floats on lake ${n}.`,
  finish_reason: "stop",
  passages: [OTHER, passage(n)],
  generator: "g",
  ...more,
});
const vote = (n: number, more: Partial<VoteRow> = {}): VoteRow => ({
  kind: "vote",
  id: `t${n}`,
  time: "",
  vote: "up",
  flag: false,
  ...more,
});

async function collected(rows: readonly (TurnRow | VoteRow)[], settings: Record<string, unknown> = {}) {
  await writeJsonl(join(folder, "turns.jsonl"), rows);
  const save_dir = join(folder, "out");
  const parsed = collect.settings.parse({ turns: folder, save_dir, ...settings });
  return collect.run(parsed, { reporter: silentReporter, signal: new AbortController().signal, env: {} });
}

const questions = (split: string) => readQuestions(join(folder, "out", `${split}_w_q.jsonl`));

it("makes rows of what was voted up, the gold passage the one that has the answer's words", async () => {
  const rows = [turn(1), vote(1, { vote: "down" }), vote(1), turn(2), vote(2), vote(2, { vote: null })];
  const { figures } = await collected([...rows, turn(3), vote(3, { flag: true }), turn(4), vote(4, { vote: "down" })], {
    eval_share: 0,
  });
  expect(figures).toMatchObject({ train: 1, eval: 0, turns: 4, voted_good: 1, down: 1, flagged: 1, unjudged: 1 });
  const [row] = await questions("train");
  expect(row).toMatchObject({
    questions: ["Where does boat 1 float?"],
    gold_docs: [passage(1)],
    hard_neg_docs: [OTHER],
  });
  const [answer] = await readQa(join(folder, "out/train_w_qa.jsonl"), silentReporter);
  expect(answer).toMatchObject({ gold_answer: "Boat number 1 floats on lake 1.", gold_docs: [passage(1)] });
});

it("splits by the passage, and the same way the next time", async () => {
  const rows = Array.from({ length: 40 }, (_, n) => [turn(n), vote(n)]).flat();
  await collected(rows, { eval_share: 0.3 });
  const held = (await questions("eval")).map((row) => row.gold_docs[0]?.metadata.source);
  expect(held.length).toBeGreaterThan(3);
  expect(held.length).toBeLessThan(25);
  await collected([...rows, turn(41), vote(41)], { eval_share: 0.3 });
  expect((await questions("eval")).map((row) => row.gold_docs[0]?.metadata.source)).toEqual(
    expect.arrayContaining(held),
  );
});

it("adds to a data set, and lets nothing of its test in", async () => {
  const row = (n: number) => ({
    gold_docs: [passage(n)],
    hard_neg_docs: [],
    chat_history: [],
    questions: [`Old question ${n}?`],
  });
  for (const [split, n] of [
    ["train", 1],
    ["eval", 2],
    ["test", 3],
  ] as const)
    await writeJsonl(join(folder, "set", `${split}_w_q.jsonl`), [row(n)]);
  const asked = turn(5, { question: "Old question 1?" });
  const { figures, outputs } = await collected(
    [turn(1), turn(2), turn(3), asked, 1, 2, 3, 5].map((one) => (typeof one === "number" ? vote(one) : one)),
    {
      dataset: join(folder, "set"),
      eval_share: 0,
    },
  );
  expect(figures).toMatchObject({ train: 1, eval: 1, test: 1, known: 1 });
  expect((await questions("train")).map(({ questions: [q] }) => q)).toEqual([
    "Old question 1?",
    "Where does boat 1 float?",
  ]);
  expect((await questions("eval")).map(({ questions: [q] }) => q)).toEqual([
    "Old question 2?",
    "Where does boat 2 float?",
  ]);
  expect(outputs.map((path) => path.split("/").at(-1))).toContain("test_w_q.jsonl");
  expect(await questions("test")).toHaveLength(1);
});

it("leaves out answers that no passage has, and passages that are gone, and says so", async () => {
  await writeJsonl(join(folder, "documents.jsonl"), [OTHER, passage(1)]);
  const made = turn(3, { answer: "Something else altogether, invented." });
  const { figures, summary } = await collected([turn(1), vote(1), turn(2), vote(2), made, vote(3)], {
    document_path: join(folder, "documents.jsonl"),
  });
  expect(figures).toMatchObject({ gone: 1, unsupported: 1 });
  expect(summary).toMatch(/left out, 1: no passage has enough/);
  const left = (await readFile(join(folder, "out/left_out.jsonl"), "utf8")).trim().split("\n");
  expect(left.map((line) => JSON.parse(line))).toEqual([
    { turn: "t2", question: "Where does boat 2 float?", reason: "gone" },
    { turn: "t3", question: "Where does boat 3 float?", reason: "unsupported" },
  ]);
  await expect(collected([turn(2)])).rejects.toThrow(/nothing to collect of 1 turns \(1: without a vote or a label\)/);
});

it("takes reviewers' labels before votes, most of them where they differ, and says why what is left out is", async () => {
  const says = (n: number, labeller: string, labels: object) => ({ question_id: `t${n}`, labeller, ...labels });
  await writeJsonl(join(folder, "labels.jsonl"), [
    says(1, "Ada", { label: "correct" }),
    says(2, "Ada", { label: "incorrect" }),
    says(2, "Ada", { label: "correct" }),
    says(2, "Bob", { label: "incorrect" }),
    says(2, "Eve", { label: "incorrect" }),
    says(3, "Ada", { label: "correct" }),
    says(3, "Bob", { label: "retrieval_fault" }),
    says(4, "Ada", { label: "correct", helpfulness: "unhelpful" }),
    says(5, "Ada", { label: "correct", harmlessness: "harmful" }),
    says(6, "Ada", { label: "correct", harmlessness: "harmless" }),
    says(7, "Ada", { label: "retrieval_fault" }),
    says(8, "Ada", { helpfulness: "helpful" }),
    says(9, "Ada", { helpfulness: "helpful" }),
  ]);
  const turns = Array.from({ length: 9 }, (_, i) => turn(i + 1));
  const votes = [vote(2), vote(5), vote(6, { flag: true, vote: null }), vote(7), vote(8)];
  const { figures, summary, outputs } = await collected([...turns, ...votes], { eval_share: 0 });
  expect(figures).toEqual({
    train: 3,
    eval: 0,
    turns: 9,
    labelled_good: 2,
    voted_good: 1,
    incorrect: 1,
    retrieval_fault: 1,
    split: 1,
    harmful: 1,
    unhelpful: 1,
    unjudged: 1,
  });
  expect(summary).toContain("3 of 9 turns are collected: 3 for training, 0 for eval. 2 were found good by reviewers");
  expect(summary).toContain("left out, 1: reviewers are split on whether their answer is correct");
  expect(outputs.at(-1)).toMatch(/left_out\.jsonl$/);
  const rows = await questions("train");
  expect(rows.map(({ question_provenance }) => question_provenance)).toMatchObject([
    { turn: "t1", judged_by: "label" },
    { turn: "t6", judged_by: "label" },
    { turn: "t8", judged_by: "vote" },
  ]);
  await expect(collected(turns, { labels_file: join(folder, "none.jsonl") })).rejects.toThrow(
    /none\.jsonl: no such file/,
  );
});

it("names a file that is not there, and a line that is none", async () => {
  const settings = collect.settings.parse({ turns: join(folder, "none"), save_dir: join(folder, "out") });
  const context = { reporter: silentReporter, signal: new AbortController().signal, env: {} };
  await expect(collect.run(settings, context)).rejects.toThrow(/no such file/);
  await writeFile(join(folder, "turns.jsonl"), '{"kind":"what"}\n');
  await expect(collect.run({ ...settings, turns: folder }, context)).rejects.toThrow(/turns\.jsonl:1/);
});
