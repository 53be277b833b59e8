import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDocument, DataError, questionId, silentReporter, UserError, writeJsonl } from "@rag-ft/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { runCompare } from "./run-compare.js";
import { compareSettings } from "./settings.js";

const gold = createDocument("the answer is red", { source: "https://docs.test/1" });
const other = createDocument("something else", { source: "https://docs.test/2" });

let folder: string;
const at = (...names: string[]): string => join(folder, ...names);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-compare-"));
});
afterEach(() => rm(folder, { recursive: true }));

interface Line {
  question: string;
  answer: string;
  found?: boolean;
  figures?: Record<string, number>;
  depth?: number;
}

async function writeRun(name: string, lines: readonly Line[], file = "test-predictions.jsonl"): Promise<string> {
  await mkdir(at(name), { recursive: true });
  await writeJsonl(
    at(name, file),
    lines.map(({ question, answer, found = true, figures, depth }) => ({
      question,
      gold_docs: [gold],
      retrieved_docs: found ? [gold, other] : [other],
      gold_answer: "the answer is red",
      generated_answer: answer,
      ...(depth === undefined ? {} : { depth }),
      ...(figures ? { question_id: questionId({ question, gold_docs: [gold] }), figures } : {}),
    })),
  );
  return at(name);
}

async function compare(run_a: string, run_b: string, more: Record<string, unknown> = {}): Promise<string> {
  const { summary } = await runCompare(compareSettings.parse({ run_a, run_b, ...more }), {
    reporter: silentReporter,
    signal: new AbortController().signal,
    env: {},
  });
  return summary ?? "";
}

const questions = Array.from({ length: 20 }, (_, i) => `question ${i}`);

describe("compare", () => {
  test("figures of lines without any are computed; wins, losses and examples are the right ones", async () => {
    const a = await writeRun(
      "a",
      questions.map((question) => ({ question, answer: "no idea", found: false })),
    );
    const b = await writeRun(
      "b",
      // In another order; one of twenty gets no better.
      [...questions].reverse().map((question, i) => ({ question, answer: i === 19 ? "no idea" : "the answer is red" })),
    );
    const out = at("comparison.json");
    const summary = await compare(a, b, { out, examples: 2 });
    const result = JSON.parse(await readFile(out, "utf8"));
    expect(result).toMatchObject({ version: 1, questions: 20, only_in_a: [], only_in_b: [] });
    const exact = result.figures.find(({ figure }: { figure: string }) => figure === "test_gen/exact_match");
    expect(exact).toMatchObject({
      mean_a: 0,
      mean_b: 0.95,
      difference: 0.95,
      wins: 19,
      losses: 0,
      ties: 1,
      test: "mcnemar",
    });
    expect(exact.p_value).toBeCloseTo(2 / 2 ** 19, 15);
    expect(exact.ci95[0]).toBeGreaterThan(0.6);
    expect(exact.win_examples).toHaveLength(2);
    expect(exact.win_examples[0]).toMatchObject({ a: 0, b: 1, answer_a: "no idea", gold_rank_a: null, gold_rank_b: 1 });
    expect(exact.loss_examples).toEqual([]);
    const recall = result.figures.find(
      ({ figure }: { figure: string }) => figure === "test_retr/document_recall/recall1",
    );
    expect(recall).toMatchObject({ wins: 20, ties: 0 });
    expect(summary).toMatch(/20 questions, paired/);
    expect(summary).toMatch(/B is better than A .*test_gen\/exact_match/);
    expect(summary).toMatch(/gold passage: A not found, B place 1/);
  });

  test("answers in another script are compared over its words, too", async () => {
    const lines = (answer: string) =>
      questions.map((question) => ({
        question,
        gold_docs: [gold],
        gold_answer: "猫が好きです。",
        generated_answer: answer,
      }));
    const [a, b] = [at("a.jsonl"), at("b.jsonl")];
    await writeJsonl(a, lines("犬が嫌いです"));
    await writeJsonl(b, lines("犬が好きです"));
    const summary = await compare(a, b);
    // Of four words, two and three are the same; the reference's tokens are a to z.
    expect(summary).toMatch(/^test_gen\/rougeL +0\.000 +0\.000/m);
    expect(summary).toMatch(/^test_gen\/rougeL_unicode +0\.500 +0\.750 +\+0\.250/m);
    expect(summary).toMatch(/test_gen\/rougeL_unicode: B above A/);
  });

  test("a run compared with itself differs nowhere", async () => {
    const a = await writeRun(
      "a",
      questions.map((question) => ({ question, answer: "it is red" })),
    );
    const summary = await compare(a, a);
    expect(summary).toMatch(/No figure differs by more than chance/);
    expect(summary).not.toMatch(/B above A/);
  });

  test("figures in the file are taken as they are, and only those that both runs have are compared", async () => {
    const figures = (extra: Record<string, number>) => (question: string, i: number) => ({
      question,
      answer: "",
      figures: { "test_gen/rougeL": i / 40, ...(i < 15 ? { "test_gen/gpt4_acc": i % 2 } : {}), ...extra },
    });
    const a = await writeRun("a", questions.map(figures({ "test_gen/seconds": 1 })));
    const b = await writeRun("b", questions.map(figures({ "test_gen/other": 1 })));
    const summary = await compare(a, b);
    expect(summary).toMatch(/gpt4_acc: over the 15 of 20 questions/);
    expect(summary).toMatch(/Only A has test_gen\/seconds/);
    expect(summary).toMatch(/Only B has test_gen\/other/);
    const chosen = await compare(a, b, { figures: "rougeL" });
    expect(chosen).not.toMatch(/^test_gen\/gpt4_acc/m);
    await expect(compare(a, b, { figures: "rougeX" })).rejects.toThrow(/rougeX is in none/);
  });

  test("MRR within four passages is not compared with MRR within a hundred", async () => {
    const run = (depth?: number) =>
      questions.map((question, i) => ({
        question,
        answer: "",
        depth,
        figures: { "test_retr/mrr": 1 / (1 + i), "test_retr/ndcg/ndcg4": i / 20, "test_retr/ndcg/ndcg5": i / 20 },
      }));
    const a = await writeRun("a", run());
    const b = await writeRun("b", run(100));
    const summary = await compare(a, b);
    expect(summary).toMatch(/Not compared: test_retr\/mrr, as A looked at 2 passages a question and B at 100/);
    // Two figures of equal values take one line.
    expect(summary).toMatch(/Left out, as they repeat a line above: test_retr\/ndcg\/ndcg5\./);
    expect(await compare(b, b)).toMatch(/^test_retr\/mrr /m);
  });

  test("the same question twice is paired in order", async () => {
    const twice = (first: string, second: string) => [
      { question: "q", answer: first },
      { question: "q", answer: second },
    ];
    const a = await writeRun("a", twice("the answer is red", "no"));
    const b = await writeRun("b", twice("the answer is red", "the answer is red"));
    const summary = await compare(a, b, { figures: "exact_match" });
    expect(summary).toMatch(/test_gen\/exact_match +0\.500 +1\.000 .* 1 +0 +1$/m);
  });

  test("runs over other questions are refused, with what differs", async () => {
    const a = await writeRun(
      "a",
      questions.map((question) => ({ question, answer: "x" })),
    );
    const b = await writeRun(
      "b",
      [...questions.slice(2), "a new one"].map((question) => ({ question, answer: "x" })),
    );
    const refused = compare(a, b, { out: at("out.json") });
    await expect(refused).rejects.toThrow(UserError);
    await expect(refused).rejects.toThrow(/20 questions; only here: 2, the first "question 0"/);
    await expect(refused).rejects.toThrow(/19 questions; only here: 1, the first "a new one"/);
    await expect(readFile(at("out.json"))).rejects.toThrow(/ENOENT/);
  });

  test("what is no run is explained", async () => {
    const a = await writeRun("a", [{ question: "q", answer: "x" }]);
    await expect(compare(a, at("nowhere"))).rejects.toThrow(/no such file or folder/);
    await writeRun("b/BM25", [{ question: "q", answer: "x" }], "retrieval-results.jsonl");
    await expect(compare(a, at("b"))).rejects.toThrow(/These folders in it do: .*BM25/);
    await expect(compare(a, at("b", "BM25"))).resolves.toMatch(/1 questions, paired/);
    await writeFile(at("broken.jsonl"), '{"question": 1}\n');
    await expect(compare(a, at("broken.jsonl"))).rejects.toThrow(DataError);
    await expect(compare(a, at("broken.jsonl"))).rejects.toThrow(/broken\.jsonl:1/);
  });
});
