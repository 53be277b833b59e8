import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeJsonl } from "@rag-ft/core";
import { pairedShareInterval, wilsonInterval } from "@rag-ft/metrics";
import { describe, expect, it } from "vitest";
import { evenlySpaced, renderReport } from "./report.js";
import { readReportData } from "./report-data.js";

describe("renderReport", () => {
  it("shows base against fine-tuned and the answers", () => {
    const text = renderReport({
      verdict: { verdict: "It is better.", best: "The tuned one.", next: ["Do this.", "Do that."] },
      comparisons: [
        { part: "retriever", metric: "recall@4", base: 0.4, tuned: 0.75, bm25: 0.5, hybrid: 0.8, questions: 80 },
        {
          part: "generator",
          metric: "F1",
          base: 0.5,
          tuned: 0.25,
          baseInterval: [0.404, 0.6],
          changeInterval: [-0.3, 0.05],
          questions: 80,
        },
      ],
      examples: [{ question: "What\nis it?", gold: "A thing.", base: "", tuned: "x".repeat(500) }],
      exampleQuestions: 80,
    });
    expect(text).toBe(
      [
        "Verdict: It is better.",
        "Best system: The tuned one.",
        "Next:",
        "1. Do this.",
        "2. Do that.",
        "",
        "Base against fine-tuned, on held-out questions; in brackets 95 % intervals",
        "part       metric    base                  fine-tuned  change                   BM25   hybrid  questions",
        "---------  --------  --------------------  ----------  -----------------------  -----  ------  ---------",
        "retriever  recall@4  0.400                 0.750       +0.350                   0.500  0.800          80",
        "generator  F1        0.500 (0.40 to 0.60)  0.250       -0.250 (-0.30 to +0.05)                        80",
        "",
        "1 of 80 questions, evenly spaced through the test file",
        "1. What is it?",
        "   gold:       A thing.",
        "   base:       (empty)",
        `   fine-tuned: ${"x".repeat(400)}…`,
      ].join("\n"),
    );
  });
});

describe("evenlySpaced", () => {
  it("covers the range without repeating", () => {
    expect(evenlySpaced(80, 3)).toEqual([13, 40, 66]);
    expect(evenlySpaced(2, 3)).toEqual([0, 1]);
    expect(evenlySpaced(0, 3)).toEqual([]);
  });
});

describe("readReportData", () => {
  it("reads the figures and pairs the answers by question", async () => {
    const folder = await mkdtemp(join(tmpdir(), "rag-ft-report-"));
    const recall = (one: number, four: number) => ({ "document_recall/recall1": one, "document_recall/recall4": four });
    for (const name of ["retriever", "base", "tuned"]) await mkdir(join(folder, name));
    const hybrid = { ...recall(0.5, 1), bm25_weight: 0.5 };
    const near = (one: number, four: number) => ({ "near_recall/recall1": one, "near_recall/recall4": four });
    const test = {
      bm25: recall(0.5, 0.5),
      hybrid,
      base: { ...recall(0, 0.5), ...near(0.5, 1) },
      best: { ...recall(0.5, 1), ...near(1, 1), step: 20 },
      questions: 2,
    };
    await writeFile(join(folder, "retriever/test.json"), JSON.stringify(test));
    const row = (question: string, answer: string, recall4: number, rougeL: number) => ({
      question,
      figures: { "test_retr/document_recall/recall4": recall4, "test_gen/rougeL": rougeL, "test_gen/f1": 0.5 },
      gold_docs: [],
      retrieved_docs: [],
      gold_answer: `gold ${question}`,
      generated_answer: answer,
    });
    await writeJsonl(join(folder, "base/test-predictions.jsonl"), [row("q2?", "b2", 0, 0.2), row("q1?", "b1", 1, 0)]);
    await writeJsonl(join(folder, "tuned/test-predictions.jsonl"), [
      row("q1?", "t1", 1, 0.5),
      row("q2?", "t2", 1, 0.5),
    ]);
    const score = (rouge: number, f1: number, more: object = {}) =>
      JSON.stringify({ "test_gen/rougeL": rouge, "test_gen/f1": f1, ...more });
    await writeFile(join(folder, "base/score.json"), score(0.1, 0.2, { "test_gen/rougeL_ci95": [0, 0.3] }));
    await writeFile(join(folder, "tuned/score.json"), score(0.5, 0.6));

    const ends = (found: number): [number, number] => {
      const { low, high } = wilsonInterval(found, 2);
      return [low, high];
    };
    const change = pairedShareInterval(1, 0, 2);
    const shares = (base: number, tuned: number) => ({
      baseInterval: ends(base),
      tunedInterval: ends(tuned),
      // The tests' predictions say nothing of recall@1; of recall@4 one question of two was won.
      changeInterval: tuned === 2 ? [change.low, change.high] : undefined,
    });
    const unpaired = { changeInterval: undefined };
    const report = { retriever: "retriever", base: "base", tuned: "tuned" };
    const data = await readReportData(report, (id) => join(folder, id));
    expect(data).toEqual({
      verdict: expect.objectContaining({
        verdict: expect.stringMatching(/^The fine-tuned system answers better than the base, beyond chance: ROUGE-L/),
        best: "The fine-tuned retriever with the fine-tuned generator, searching by vectors (recall@4 1.000; BM25 0.500, vectors + 0.5 BM25 1.000).",
        next: expect.arrayContaining([expect.stringContaining(`rag-ft review ${join(folder, "tuned")})`)]),
      }),
      comparisons: [
        {
          part: "retriever",
          metric: "recall@1",
          base: 0,
          tuned: 0.5,
          bm25: 0.5,
          hybrid: 0.5,
          questions: 2,
          ...shares(0, 1),
        },
        {
          part: "retriever",
          metric: "recall@4",
          base: 0.5,
          tuned: 1,
          bm25: 0.5,
          hybrid: 1,
          questions: 2,
          ...shares(1, 2),
        },
        // An earlier version wrote no such figure of BM25 and hybrid search.
        { part: "retriever", metric: "near@1", base: 0.5, tuned: 1, questions: 2, ...shares(1, 2), ...unpaired },
        { part: "retriever", metric: "near@4", base: 1, tuned: 1, questions: 2, ...shares(2, 2), ...unpaired },
        {
          part: "generator",
          metric: "ROUGE-L",
          base: 0.1,
          tuned: 0.5,
          questions: 2,
          baseInterval: [0, 0.3],
          tunedInterval: undefined,
          changeInterval: [0.3, 0.5],
        },
        { part: "generator", metric: "F1", base: 0.2, tuned: 0.6, questions: 2 },
      ],
      examples: [
        { question: "q1?", gold: "gold q1?", base: "b1", tuned: "t1" },
        { question: "q2?", gold: "gold q2?", base: "b2", tuned: "t2" },
      ],
      exampleQuestions: 2,
      sources: 0,
      notes: [
        "retriever: base and fine-tuned by vectors alone; hybrid is the fine-tuned vectors + 0.5 BM25.",
        "Split: unknown (made elsewhere).",
      ],
    });

    // What the stages write now: intervals by source and the split beside the retriever's figures, and how each test searched.
    const name = "document_recall/recall4";
    const known = {
      ...test,
      best: { ...test.best, [`${name}_ci95`]: [0.4, 1], ci95_by_source: 2 },
      change: { [name]: { difference: 0.5, ci95: [-0.1, 0.9] } },
      split_by: "source",
    };
    await writeFile(join(folder, "retriever/test.json"), JSON.stringify(known));
    const searched = async (system: string, used: object, found: number) => {
      const alone = { version: 1, questions: 2, split_by: "source", used: { tuned: used }, alone: [] };
      await writeFile(join(folder, system, "searches.json"), JSON.stringify(alone));
      await writeFile(join(folder, system, "score.json"), score(0.1, 0.2, { [`test_retr/${name}`]: found }));
    };
    await searched("base", { retrieval: "dense" }, 0.5);
    await searched("tuned", { retrieval: "hybrid", bm25_weight: 0.75 }, 1);
    const both = await readReportData(report, (id) => join(folder, id));
    const ofRecall4 = both.comparisons.filter(({ metric }) => metric === "recall@4");
    expect(ofRecall4).toMatchObject([
      { part: "retriever", tunedInterval: [0.4, 1], changeInterval: [-0.1, 0.9], hybrid: 1 },
      { part: "search", base: 0.5, tuned: 1, changeInterval: [change.low, change.high] },
    ]);
    expect(both).toMatchObject({ sources: 2 });
    expect(both.notes).toContain(
      "generator: base searched by vectors, fine-tuned by vectors + 0.75 BM25: the change is of both.",
    );
    expect(both.notes).toContain("Split by source: the sets share no source.");
    expect(renderReport(both)).toContain("; in brackets 95 % intervals by source (2 sources)\n");
    await searched("base", { retrieval: "hybrid", bm25_weight: 0.75 }, 0.5);
    expect((await readReportData(report, (id) => join(folder, id))).notes).toContain(
      "generator: both systems searched by vectors + 0.75 BM25.",
    );

    const overDense = { retrieval: "hybrid", gain: 0.2, low: 0.1, high: 0.3 };
    const choice = { version: 1, bm25_weight: 0.75, over_dense: overDense };
    await writeFile(join(folder, "retriever/hybrid.json"), JSON.stringify(choice));
    await searched("tuned", { retrieval: "dense" }, 1);
    const { verdict } = await readReportData(report, (id) => join(folder, id));
    expect(verdict?.next).toContainEqual(expect.stringMatching(/^Search by vectors and words: .*\+0\.200/));

    await writeFile(join(folder, "retriever/test.json"), "{}");
    await expect(readReportData(report, (id) => join(folder, id))).rejects.toThrow("test.json: not train-retriever's");
  });
});

describe("readReportData of answers in another script", () => {
  it("shows the figures over its words, by their names", async () => {
    const folder = await mkdtemp(join(tmpdir(), "rag-ft-report-"));
    for (const [i, name] of ["base", "tuned"].entries()) {
      await mkdir(join(folder, name));
      const row = {
        question: "猫は？",
        gold_docs: [],
        retrieved_docs: [],
        gold_answer: "好き",
        generated_answer: "好き",
      };
      await writeJsonl(join(folder, name, "test-predictions.jsonl"), [row]);
      const unicode = { "test_gen/rougeL_unicode": 0.5 + i / 4, "test_gen/f1_unicode": 0.25 + i / 2 };
      await writeFile(
        join(folder, name, "score.json"),
        JSON.stringify({ "test_gen/rougeL": 0, "test_gen/f1": 0, ...unicode }),
      );
    }
    const { comparisons } = await readReportData({ base: "base", tuned: "tuned" }, (id) => join(folder, id));
    expect(comparisons.map(({ metric, base, tuned }) => [metric, base, tuned])).toEqual([
      ["ROUGE-L (Unicode)", 0.5, 0.75],
      ["F1 (Unicode)", 0.25, 0.75],
    ]);
  });
});
