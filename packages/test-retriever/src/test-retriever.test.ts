import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createDocument,
  type Document,
  documentKey,
  questionId,
  type Reporter,
  silentReporter,
  UserError,
  writeJsonl,
} from "@rag-ft/core";
import { createWordEncoder, type WordEncoder } from "@rag-ft/test-utils";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { runTestRetriever } from "./run-test-retriever.js";
import { testRetrieverSettings } from "./settings.js";

const TEXTS = ["red apple", "green apple pie", "blue sky", "grey cloud in the sky", "pink rose"];
const documents = TEXTS.map((text, i) => createDocument(text, { source: `https://docs.test/${i}` }));
const gold = (place: number): Document[] => [documents[place] as Document];
const question = (text: string, golds: Document[]) => ({
  gold_docs: golds,
  hard_neg_docs: [],
  chat_history: [],
  questions: [text],
});

let folder: string;
const at = (...names: string[]): string => join(folder, ...names);
const json = async (...names: string[]): Promise<Record<string, unknown>> =>
  JSON.parse(await readFile(at(...names), "utf8"));
const rows = async (...names: string[]): Promise<Record<string, unknown>[]> =>
  (await readFile(at(...names), "utf8"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-test-retriever-"));
  await writeJsonl(at("documents.jsonl"), documents);
  await writeJsonl(at("test_w_q.jsonl"), [
    { ...question("red?", gold(0)), questions: ["red?", "which apple is red?"] },
    question("blue", gold(2)),
    question("cloud and rose", [...gold(3), ...gold(4)]),
  ]);
});
afterEach(() => rm(folder, { recursive: true }));

const encoders: Record<string, WordEncoder> = {
  // Knows colours only, and so cannot find the cloud.
  "models/colours": createWordEncoder(["red", "green", "blue", "grey", "pink"]),
  "models/all": createWordEncoder(["red", "green", "blue", "apple", "sky", "cloud", "rose"], { fingerprint: "all" }),
};

/** Finds the passage that has most letters of the question's last word, doubled; what it was asked stands in `asked`. */
type TextPair = readonly [question: string, passage: string];
const asked: TextPair[] = [];
const readsLetters = {
  logits: async (pairs: readonly TextPair[]) => {
    asked.push(...pairs);
    return Float32Array.from(pairs, ([text, passage]) => (passage.includes(text.split(" ").at(-1) ?? "") ? 1 : -1));
  },
  score: () => Promise.reject(new Error("scores are of no use here")),
};

async function run(settings: Record<string, unknown> = {}, reporter: Reporter = silentReporter) {
  const closed: string[] = [];
  const result = await runTestRetriever(
    testRetrieverSettings.parse({
      document_path: at("documents.jsonl"),
      eval_data_path: at("test_w_q.jsonl"),
      output_dir: at("out"),
      ks: "1,2",
      ...settings,
    }),
    { reporter, signal: new AbortController().signal, env: {} },
    {
      openEncoder: async (name) => {
        const encoder = encoders[name];
        if (encoder === undefined) throw new UserError(`${name}: no such model.`);
        return { ...encoder, close: async () => void closed.push(name) };
      },
      async openReranker({ reranker: model, rerank_top_n: topN = 20, rerank_weight: weight = 0.5 }) {
        if (model === undefined) return undefined;
        return { model, topN, weight, scorer: { ...readsLetters, close: async () => void closed.push(model) } };
      },
    },
  );
  return { ...result, closed };
}

describe("with a reranker", () => {
  test("each model is tested with it too, beside what it takes a question", async () => {
    asked.length = 0;
    await writeJsonl(at("test_w_q.jsonl"), [question("grey cloud", gold(3)), question("red pie", gold(1))]);
    const flags = { model_path: ["models/colours"], retrieval: "hybrid", reranker: "models/letters", rerank_weight: 1 };
    const { summary, closed } = await run({ ...flags, rerank_top_n: 2 });
    const systems = (await json("out", "score.json")).systems as { label: string; figures: Record<string, number> }[];
    const label = "colours + 0.5 BM25, 2 reranked";
    expect(systems.map((one) => one.label)).toEqual(["BM25", "colours", "colours + 0.5 BM25", label]);
    expect(systems.at(-1)).toMatchObject({
      kind: "hybrid",
      reranker: "models/letters",
      rerank_top_n: 2,
      rerank_weight: 1,
      rerank_milliseconds: expect.any(Number),
    });
    // "red pie": every search has the red apple first and the pie second.
    expect(systems.map(({ figures }) => figures["test_retr/document_recall/recall1"])).toEqual([0.5, 0.5, 0.5, 1]);
    expect(asked).toHaveLength(4);
    expect(summary).toMatch(/reranking, ms\/question/);
    expect(closed.sort()).toEqual(["models/colours", "models/letters"]);
  });

  test("what is for a reranker wants one, and without one nothing is said of it", async () => {
    await expect(run({ rerank_top_n: 2 })).rejects.toThrow(/rerank_top_n is for a reranker, and none is named/);
    expect((await run()).summary).not.toMatch(/rerank/);
  });
});

test("questions of several kinds have a table of each retriever by kind, and a file; those of one kind have neither", async () => {
  const kinds = ["keywords", "full", "two_passages"];
  await writeJsonl(
    at("test_w_q.jsonl"),
    [
      question("red", gold(0)),
      question("what is blue?", gold(2)),
      question("cloud and rose", [...gold(3), ...gold(4)]),
    ].map((row, i) => ({ ...row, question_kind: kinds[i] })),
  );
  const { summary, outputs } = await run({ model_path: ["models/colours"] });
  expect(summary).toMatch(/BM25, by kind of question\nkind +questions +recall@1 +recall@2/);
  expect(summary).toMatch(/colours, by kind of question\n.+\n.+\n?full +1 +1\.000[\s\S]+two_passages +1 +0\.000/);
  expect(outputs.filter((path) => path.endsWith("by-kind.json"))).toHaveLength(2);
  const found = await rows("out", "colours", "retrieval-results.jsonl");
  expect(found.map(({ question_kind }) => question_kind)).toEqual(kinds);
  await writeJsonl(at("test_w_q.jsonl"), [question("red", gold(0))]);
  const plain = await run({ model_path: ["models/colours"] });
  expect(plain.summary).not.toContain("by kind");
  await expect(json("out", "colours", "by-kind.json")).rejects.toThrow(/ENOENT/);
});

describe("test-retriever", () => {
  test("figures of BM25 and two models, worked out by hand, with intervals and differences", async () => {
    const { summary, outputs, closed } = await run({ model_path: ["models/colours", "models/all"] });
    const score = await json("out", "score.json");
    expect(score).toMatchObject({ questions: 4, passages: 5, ks: [1, 2], depth: 100, unanswerable: 0 });
    const systems = score.systems as { label: string; figures: Record<string, unknown> }[];
    expect(systems.map(({ label }) => label)).toEqual(["BM25", "colours", "all"]);
    // All find red twice and blue; cloud and rose need both passages, so they can only be found at 2, and by words that are known.
    expect(systems.map(({ figures }) => figures["test_retr/document_recall/recall1"])).toEqual([3 / 4, 3 / 4, 3 / 4]);
    expect(systems.map(({ figures }) => figures["test_retr/document_recall/recall2"])).toEqual([1, 3 / 4, 1]);
    expect(systems[0]?.figures["test_retr/fraction_recall/recall1"]).toBe((1 + 1 + 1 + 0.5) / 4);
    // Two of the four questions are of one source: the interval is over three sources, which can all be right or wrong.
    expect(systems[0]?.figures["test_retr/document_recall/recall1_ci95"]).toEqual([0, 1]);
    expect(systems[0]?.figures.ci95_by_source).toBe(3);
    const differences = score.differences as Record<string, unknown>[];
    expect(
      differences.find(({ to, figure }) => to === "all" && figure === "test_retr/document_recall/recall2"),
    ).toMatchObject({ from: "colours", difference: 0.25, wins: 1, losses: 0, ties: 3, p_value: 1 });
    expect(summary).toMatch(/^4 questions over 5 passages; in brackets 95 % intervals by source \(3 sources\)/);
    expect(summary).toMatch(/BM25 +0\.750 \[0\.000, 1\.000\]/);
    expect(summary).toMatch(/all - colours/);
    expect(outputs).toContain(at("out", "BM25", "retrieval-results.jsonl"));
    expect(closed).toEqual(["models/colours", "models/all"]);
  });

  test("each question's line says what was found, and its figures average to the score", async () => {
    await run({ model_path: "models/all" });
    const lines = await rows("out", "all", "retrieval-results.jsonl");
    expect(lines).toHaveLength(4);
    expect(lines[2]).toMatchObject({
      question: "blue",
      question_id: questionId({ question: "blue", gold_docs: gold(2) }),
      gold_ranks: [1],
      retrieval_scores: [1, 0],
    });
    expect((lines[2]?.retrieved_docs as Document[] | undefined)?.map(documentKey)[0]).toBe(
      documentKey(documents[2] as Document),
    );
    const score = await json("out", "all", "score.json");
    const name = "test_retr/map";
    const values = lines.map((line) => (line.figures as Record<string, number>)[name] ?? Number.NaN);
    expect(values.reduce((sum, value) => sum + value, 0) / 4).toBe(score[name]);
    expect(score).toMatchObject({ num_questions: 4, "test_retr/gold_not_in_database": 0 });
  });

  test("a file of answers is read too; BM25 needs no model", async () => {
    await writeJsonl(at("test_w_qa.jsonl"), [
      { gold_docs: gold(4), hard_neg_docs: [], chat_history: [], question: "a rose", gold_answer: "pink" },
    ]);
    const { summary } = await run({ eval_data_path: at("test_w_qa.jsonl") });
    const score = await json("out", "score.json");
    expect(score.differences).toEqual([]);
    expect(score.systems).toHaveLength(1);
    expect(summary).not.toMatch(/Differences/);
    // Two ends of one question's interval are known for right and wrong, and for nothing else.
    expect(await json("out", "BM25", "score.json")).toMatchObject({
      "test_retr/document_recall/recall1": 1,
      num_questions: 1,
    });
  });

  test("one question has no interval but of right and wrong: none is shown, nowhere a NaN", async () => {
    await writeJsonl(at("one_w_q.jsonl"), [
      { gold_docs: gold(0), hard_neg_docs: [], chat_history: [], questions: ["a rose"] },
    ]);
    const { summary } = await run({ model_path: "models/all", eval_data_path: at("one_w_q.jsonl"), ks: "1" });
    expect(summary).toMatch(/BM25 - all +MRR@100 +-0\.500 +1\.0000/);
    expect(summary).not.toContain("NaN");
    expect(await readFile(at("out", "score.json"), "utf8")).not.toContain("null");
    await writeJsonl(at("none_w_q.jsonl"), [
      { gold_docs: gold(4), hard_neg_docs: [], chat_history: [], questions: [] },
    ]);
    await expect(run({ model_path: "models/all", eval_data_path: at("none_w_q.jsonl") })).rejects.toThrow(
      /none of its 1 rows has a question/,
    );
  });

  describe("with words and vectors together", () => {
    test("each model is tested alone and with BM25, and its passages are embedded once", async () => {
      const calls = encoders["models/colours"]?.calls ?? [];
      const before = calls.length;
      await run({ model_path: "models/colours", retrieval: "hybrid" });
      const { systems, differences } = await json("out", "score.json");
      expect(systems).toMatchObject([
        { label: "BM25", kind: "bm25" },
        { label: "colours", kind: "dense", figures: { "test_retr/document_recall/recall2": 3 / 4 } },
        // The words find the cloud and the rose, which the vectors cannot.
        { label: "colours + 0.5 BM25", kind: "hybrid", model: "models/colours", bm25_weight: 0.5 },
      ]);
      const figure = "test_retr/document_recall/recall2";
      expect((systems as { figures: Record<string, number> }[])[2]?.figures[figure]).toBe(1);
      expect(differences).toContainEqual(
        expect.objectContaining({ from: "colours", to: "colours + 0.5 BM25", figure, difference: 1 / 4, wins: 1 }),
      );
      expect(await rows("out", "colours-0.5-BM25", "retrieval-results.jsonl")).toHaveLength(4);
      expect(calls.slice(before).filter(({ kind }) => kind === "passage")).toHaveLength(1);
    });

    test("the weight is that beside the model, or as given", async () => {
      const words = createWordEncoder(["red"], { fingerprint: "kept" });
      encoders[at("model")] = words;
      await mkdir(at("model"));
      await writeFile(at("model", "hybrid.json"), '{"version": 1, "bm25_weight": 0.75}');
      const weightOf = async (settings: Record<string, unknown>): Promise<unknown> => {
        await run({ model_path: at("model"), retrieval: "hybrid", ...settings });
        return ((await json("out", "score.json")).systems as { bm25_weight?: number }[])[2]?.bm25_weight;
      };
      expect(await weightOf({})).toBe(0.75);
      expect(await weightOf({ bm25_weight: "2" })).toBe(2);
    });

    test("dense is the default, and bm25 opens no model", async () => {
      const plain = await run({ model_path: "models/all" });
      const dense = await run({ model_path: "models/all", retrieval: "dense" });
      expect(dense.summary).toBe(plain.summary);
      const words = await run({ model_path: "models/none", retrieval: "bm25" });
      expect(words.closed).toEqual([]);
      expect((await json("out", "score.json")).systems).toMatchObject([{ label: "BM25" }]);
    });

    test("a weight without hybrid, or hybrid without a model, is refused", async () => {
      await expect(run({ model_path: "models/all", bm25_weight: "1" })).rejects.toThrow(/for --retrieval hybrid/);
      await expect(run({ retrieval: "hybrid" })).rejects.toThrow(/Give --model_path/);
    });
  });

  test("gold passages that the database lacks are told of once", async () => {
    await writeJsonl(at("test_w_q.jsonl"), [question("red", [createDocument("red", { source: "elsewhere" })])]);
    const warnings: string[] = [];
    await run({ model_path: "models/all" }, { ...silentReporter, warn: (line) => warnings.push(line) });
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/1 of 1 questions/);
  });

  test("mistakes are found before anything is embedded", async () => {
    await expect(run({ model_path: "models/all,models/none" })).rejects.toThrow(/models\/none: no such model/);
    await expect(run({ model_path: "models/all", label: "a,b" })).rejects.toThrow(/2 labels \(a, b\) for 1 models/);
    await expect(run({ model_path: "models/all,models/colours", label: "x,X" })).rejects.toThrow(/share the folder/);
    await expect(run({ model_path: "models/all", label: "bm25" })).rejects.toThrow(/share the folder/);
    expect(testRetrieverSettings.safeParse({ ks: "1,x" }).error?.issues.some(({ path }) => path[0] === "ks")).toBe(
      true,
    );
    expect(testRetrieverSettings.shape.ks.parse("10, 1,4,1")).toEqual([1, 4, 10]);
    const embedded = Object.values(encoders).reduce((sum, { calls }) => sum + calls.length, 0);
    await expect(run({ model_path: "models/all,models/none" })).rejects.toThrow();
    expect(Object.values(encoders).reduce((sum, { calls }) => sum + calls.length, 0)).toBe(embedded);
  });

  test("two models of one folder name are told apart by their paths", async () => {
    encoders["other/all"] = createWordEncoder(["pink"], { fingerprint: "other" });
    await run({ model_path: "models/all,other/all" });
    const systems = (await json("out", "score.json")).systems as { label: string; folder: string }[];
    expect(systems.map(({ label }) => label)).toEqual(["BM25", "models/all", "other/all"]);
    expect(systems.map((system) => system.folder)).toEqual(["BM25", "models-all", "other-all"]);
  });
});

test("vectors in LanceDB: the same figures as in memory, and a second run embeds no passage", async () => {
  const words = createWordEncoder(["red", "green", "blue", "apple", "sky", "cloud", "rose"], { fingerprint: "lance" });
  encoders["models/lance"] = words;
  const flags = { model_path: ["models/lance"], retrieval: "hybrid" };
  await run({ ...flags, output_dir: at("memory") });
  const store = { vector_store: "lancedb", vector_store_url: at("lance") };
  const embedded = () => words.calls.filter(({ kind }) => kind === "passage").length;
  const before = embedded();
  await run({ ...flags, ...store });
  expect(embedded()).toBe(before + 1);
  await run({ ...flags, ...store });
  expect(embedded()).toBe(before + 1);
  const figures = async (folderName: string) =>
    ((await json(folderName, "score.json")).systems as { label: string; figures: object }[]).map((one) => one.figures);
  expect(await figures("out")).toEqual(await figures("memory"));
});
