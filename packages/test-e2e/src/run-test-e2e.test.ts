import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CancelledError, DataError, predictionSchema, readJsonl, searchesSchema, writeJsonl } from "@rag-ft/core";
import { type Completion, CompletionError } from "@rag-ft/llm";
import { wilsonInterval } from "@rag-ft/metrics";
import { startOpenAiServer } from "@rag-ft/test-utils";
import { afterEach, beforeEach, expect, test } from "vitest";
import { defaultParts } from "./parts.js";
import { runTestE2e } from "./run-test-e2e.js";
import { createSmallTest, fakeParts as partsWith, type SmallTest } from "./testing/small-test.js";

let small: SmallTest;
let lines: string[];
let path: SmallTest["path"];
let json: SmallTest["json"];
let contextOf: SmallTest["contextOf"];
let settingsOf: SmallTest["settingsOf"];
beforeEach(async () => {
  small = await createSmallTest();
  ({ lines, path, json, contextOf, settingsOf } = small);
});
afterEach(() => rm(path("."), { recursive: true, force: true }));

const byQuestion = (prompt: string): Completion => {
  const text = prompt.includes("Which cars") ? " Red cars stop. " : prompt.includes("floats") ? "boats" : "no idea";
  return { text, finish_reason: "stop" };
};

test("figures of three questions, worked out by hand", async () => {
  const result = await runTestE2e(settingsOf({ label: "fake" }), contextOf(), partsWith(byQuestion));
  const score = await json("out/score.json");
  expect(score).toMatchObject(result.figures ?? {});
  expect(score).toMatchObject({
    "test_retr/document_recall/recall1": 2 / 3,
    "test_retr/document_recall/recall4": 1,
    // ROUGE-L keeps articles: 3 of 4 words -> P 1, R 3/4; then P 1, R 1/2; then 0.
    "test_gen/rougeL": ((2 * 0.75) / 1.75 + 1 / 1.5 + 0) / 3,
    // SQuAD drops "the": 1; P 1, R 1/2; 0.
    "test_gen/f1": (1 + 1 / 1.5 + 0) / 3,
    "test_gen/precision": 2 / 3,
    "test_gen/exact_match": 1 / 3,
    // Against the best passage: all 3 words; 1 of 3; none.
    "test_gen/rougeL_passage": (1 + 0.5 + 0) / 3,
    "test_gen/answer_length": (3 + 1 + 2) / 3,
    "test_gen/failed_answers": 0,
    num_questions: 3,
  });
  const { low, high } = wilsonInterval(2, 3);
  expect(score).toMatchObject({ "test_retr/document_recall/recall1_ci95": [low, high] });
  expect(result.summary?.split("\n")[0]).toMatch(
    /^system +recall@1 +recall@4 +near@1 +near@4 +ROUGE-1 +ROUGE-2 +ROUGE-L +F1/,
  );
  const predictions = await readJsonl(path("out/test-predictions.jsonl"), predictionSchema, { what: "predictions" });
  expect(predictions.map((prediction) => prediction.generated_answer)).toEqual(["Red cars stop.", "boats", "no idea"]);
  expect(predictions[1]?.retrieved_docs[0]).toEqual(small.documents[2]);
  expect(predictions[0]?.scores).toMatchObject({ f1: 1, documents: { recall1: 1 } });
  expect(result.summary).toContain("0.21–0.94");
  expect(result.summary).toMatch(/^BM25, retrieval alone( +[01]\.\d{3}){4}$/m);
  // Every figure with an interval is the mean of the rows' figures of its name, so that runs can be paired by question.
  const means = Object.keys(score).filter((name) => score[`${name}_ci95`] !== undefined);
  expect(means.length).toBeGreaterThan(20);
  for (const name of means) {
    const values = predictions.map(({ figures }) => figures?.[name] ?? Number.NaN);
    expect(values.reduce((sum, value) => sum + value, 0) / 3, name).toBeCloseTo(score[name] ?? Number.NaN, 12);
  }
});

test("vectors in LanceDB: the same predictions and figures as in memory, and a second run embeds no passage", async () => {
  const dense = { retrieval: "dense" };
  await runTestE2e(settingsOf({ ...dense, output_dir: path("memory") }), contextOf(), partsWith(byQuestion));
  const store = { ...dense, vector_store: "lancedb", vector_store_url: path("lance") };
  const embedded = async (folder: string): Promise<string[]> => {
    const parts = partsWith(byQuestion);
    await runTestE2e(settingsOf({ ...store, output_dir: path(folder) }), contextOf(), parts);
    return parts.encoders.flatMap(({ encoder }) => encoder.calls.map(({ kind }) => kind));
  };
  expect(await embedded("out")).toContain("passage");
  expect(await embedded("again")).not.toContain("passage");
  const found = async (folder: string) => {
    const rows = await readJsonl(path(`${folder}/test-predictions.jsonl`), predictionSchema, { what: "predictions" });
    return rows.map(({ retrieved_docs, figures }) => ({
      retrieved_docs,
      figures: { ...figures, "test_gen/latency_s": undefined },
    }));
  };
  expect(await found("out")).toEqual(await found("memory"));
  expect(await found("again")).toEqual(await found("memory"));
});

test("thoughts are neither scored nor taken for the answer, in replies as in gold answers", async () => {
  await writeJsonl(
    path("test_w_qa.jsonl"),
    small.rows.map((row) => ({ ...row, gold_answer: "<think>\nred or blue?\n</think>\n\nblue boats" })),
  );
  const parts = partsWith(() => ({ text: "<think>\ngreen cars?\n</think>\n\nblue boats", finish_reason: "stop" }));
  const { figures } = await runTestE2e(settingsOf(), contextOf(), parts);
  expect(figures).toMatchObject({ "test_gen/exact_match": 1, "test_gen/rougeL": 1, "test_gen/answer_length": 2 });
});

test("answers in another script are compared by its words, and the table says so", async () => {
  const golds = ["猫が好きです。", "犬が好きです。", "鳥が好きです。"];
  await writeJsonl(
    path("test_w_qa.jsonl"),
    small.rows.map((row, i) => ({ ...row, gold_answer: golds[i] })),
  );
  const parts = partsWith(() => ({ text: "犬が好きです", finish_reason: "stop" }));
  const { summary, figures } = await runTestE2e(settingsOf({ label: "fake" }), contextOf(), parts);
  // Of four words, three, four and three are the same.
  expect(figures).toMatchObject({ "test_gen/rougeL": 0, "test_gen/rougeL_unicode": (0.75 + 1 + 0.75) / 3 });
  expect(figures).toMatchObject({
    "test_gen/f1_unicode": (0.75 + 1 + 0.75) / 3,
    "test_gen/exact_match_unicode": 1 / 3,
  });
  expect(summary?.split("\n")[0]).toMatch(
    /ROUGE-1 \(Unicode\) +ROUGE-2 \(Unicode\) +ROUGE-L \(Unicode\) +F1 \(Unicode\) +words/,
  );
  expect(summary?.split("\n")[0]).not.toMatch(/(ROUGE-.|F1) {2}/);
  expect(summary).toContain("The gold answers are not in Latin letters");
});

test("a stopped run is continued without asking again, and another model asks anew", async () => {
  let left = 2;
  const stopped = partsWith((prompt) => {
    if (left-- === 0) throw new CancelledError("Stopped on request.");
    return byQuestion(prompt);
  });
  await expect(runTestE2e(settingsOf(), contextOf(), stopped)).rejects.toThrow(CancelledError);
  const continued = partsWith(byQuestion);
  await runTestE2e(settingsOf(), contextOf(), continued);
  expect(continued.asked).toHaveLength(1);
  expect(lines).toContain("2 of 3 answers were taken from an earlier run.");
  const fewer = partsWith(byQuestion);
  await runTestE2e(settingsOf({ embedding_max_num_to_retrieve: "1" }), contextOf(), fewer);
  expect(fewer.asked).toHaveLength(3);
});

test("a failed answer scores 0, is counted and explained, and is asked again by the next run", async () => {
  const failing = partsWith((prompt) => {
    if (prompt.includes("floats")) throw new CompletionError("the server is tired");
    return byQuestion(prompt);
  });
  const result = await runTestE2e(settingsOf(), contextOf(), failing);
  expect(result.figures?.["test_gen/failed_answers"]).toBe(1);
  expect(result.figures?.["test_gen/f1"]).toBe(1 / 3);
  expect(result.summary).toContain("1 of 3 answers failed and score 0");
  expect(result.summary).toContain("the server is tired");
  const again = partsWith(byQuestion);
  await runTestE2e(settingsOf(), contextOf(), again);
  expect(again.asked).toHaveLength(1);
});

test("an OpenAI-compatible model answers and judges; unparsed verdicts are bounded, settings carry no key", async () => {
  const server = await startOpenAiServer({
    reply: (body) => {
      if (body.model === "gpt-test") return "boats";
      const asked = body.messages.at(-1)?.content ?? "";
      if (asked.includes("floats")) return "It says so.\nCorrectness: [[correct]]";
      return asked.includes("Which cars") ? "Boats are no cars.\nCorrectness: [[incorrect]]" : "I cannot say.";
    },
  });
  try {
    const env = { OPENAI_BASE_URL: server.url, OPENAI_API_KEY: "sk-verysecretkey" };
    const settings = settingsOf({ gen_gpt4eval: "true", judge_model: "judge-1" });
    const parts = { ...partsWith(byQuestion), openGenerator: defaultParts.openGenerator };
    const result = await runTestE2e(settings, contextOf(env), parts);
    expect(result.figures).toMatchObject({
      "test_gen/gpt4_acc": 1 / 2,
      "test_gen/gpt4_acc_low": 1 / 3,
      "test_gen/gpt4_acc_high": 2 / 3,
      "test_gen/gpt4_unparsed": 1,
    });
    expect(result.summary).toContain("between 0.333 and 0.667");
    const chats = server.requests.flatMap((request) => (request.body ? [request.body] : []));
    expect(chats.filter((chat) => chat.model === "judge-1")).toHaveLength(3);
    expect(chats.every((chat) => chat.temperature === 0)).toBe(true);
    expect(await readFile(path("out/all_args.json"), "utf8")).toContain('"judge_model": "judge-1"');
    for (const name of ["all_args.json", "completions.jsonl", "test-predictions.jsonl"]) {
      expect(await readFile(path(`out/${name}`), "utf8")).not.toContain("verysecret");
    }
    const before = server.requests.length;
    const again = await runTestE2e(settings, contextOf(env), parts);
    expect(server.requests.length).toBe(before);
    // Also the latency, which was measured by the first run.
    expect(again.figures).toEqual(result.figures);
  } finally {
    await server.close();
  }
});

test("a file of questions in place of answers is refused with file and line, and earlier output stays", async () => {
  await runTestE2e(settingsOf(), contextOf(), partsWith(byQuestion));
  const earlier = await readFile(path("out/score.json"), "utf8");
  await writeJsonl(path("test_w_qa.jsonl"), [
    { gold_docs: [small.documents[0]], hard_neg_docs: [], chat_history: [], questions: ["Which?"] },
  ]);
  const again = runTestE2e(settingsOf(), contextOf(), partsWith(byQuestion));
  await expect(again).rejects.toThrow(DataError);
  await expect(again).rejects.toThrow(/test_w_qa\.jsonl:1: .*run gen-answers/);
  expect(await readFile(path("out/score.json"), "utf8")).toBe(earlier);
});

test("the reference's flags parse as strings, escapes and all", () => {
  const settings = settingsOf({ sep_user: "\\n", sep_sys: "</s>", gen_gpt4eval: "false", index_path: "x" });
  expect(settings).toMatchObject({ sep_user: "\n", gen_gpt4eval: false, embedding_max_num_to_retrieve: 4 });
});

test("words find what vectors cannot: by BM25 and by both together; vectors alone are the default", async () => {
  // The encoder does not know the word: for the vectors all passages are equal, and the first comes first.
  await writeJsonl(path("test_w_qa.jsonl"), [{ ...small.rows[2], question: "Which go?", hard_neg_docs: [] }]);
  const recallOf = async (values: Record<string, string>, parts = partsWith(byQuestion)): Promise<unknown> => {
    const result = await runTestE2e(settingsOf(values), contextOf(), parts);
    return result.figures?.["test_retr/document_recall/recall1"];
  };
  expect(await recallOf({})).toBe(0);
  expect(await recallOf({ retrieval: "dense" })).toBe(0);
  expect(await json("out/all_args.json")).not.toHaveProperty("bm25_weight");
  expect(await recallOf({ retrieval: "hybrid" })).toBe(1);
  expect(await json("out/all_args.json")).toMatchObject({ retrieval: "hybrid", bm25_weight: 0.5 });
  expect(lines).toContain("words: hybrid retrieval, dense + 0.5 BM25 (the default)");
  const parts = partsWith(byQuestion);
  expect(await recallOf({ retrieval: "bm25" }, parts)).toBe(1);
  expect(parts.encoders).toEqual([]);
  await expect(recallOf({ retrieval: "bm25", bm25_weight: "1" })).rejects.toThrow(/for --retrieval hybrid/);
});

test("auto searches as the retriever's eval questions chose; the other search and BM25 stand beside, in table and file", async () => {
  await writeJsonl(path("test_w_qa.jsonl"), [
    { ...small.rows[2], question: "Which go?", question_provenance: { split_by: "source" } },
  ]);
  const retriever = path("retriever");
  await mkdir(retriever, { recursive: true });
  const over_dense = { retrieval: "hybrid", gain: 0.1, low: 0.05, high: 0.15 };
  await writeFile(join(retriever, "hybrid.json"), JSON.stringify({ version: 1, bm25_weight: 0.75, over_dense }));
  const tested = async (values: Record<string, string>) => {
    const parts = partsWith(byQuestion);
    const { summary = "", record } = await runTestE2e(settingsOf(values), contextOf(), parts);
    const searches = searchesSchema.parse(await json("out/searches.json"));
    return { summary, record, searches, parts, args: await json("out/all_args.json") };
  };
  const used = { retrieval: "hybrid", bm25_weight: 0.75 };
  const own = await tested({ retrieval: "auto", embedding_model_name_or_path: retriever });
  expect(own.args).toMatchObject(used);
  expect(own.record).toMatchObject({ search: { tuned: used }, split_by: "source" });
  expect(own.searches).toMatchObject({ used: { tuned: used }, split_by: "source", questions: 1 });
  expect(own.searches.alone.map(({ retrieval, figures }) => [retrieval, figures["test_retr/mrr"]])).toEqual([
    ["bm25", 1],
    ["dense", 0.5],
  ]);
  expect(own.summary).toMatch(/^vectors, retrieval alone +0\.000/m);
  expect(own.summary).toContain("Searched by vectors + 0.75 BM25.\nSplit by source: the sets share no source.");
  // One encoder, its passages and its questions once for both searches.
  expect(own.parts.encoders.map(({ encoder }) => encoder.calls.map(({ kind }) => kind))).toEqual([
    ["passage", "query"],
  ]);
  expect(
    (await readJsonl(path("out/test-predictions.jsonl"), predictionSchema, { what: "predictions" }))[0],
  ).toMatchObject({ split_by: "source" });
  // Another retriever that is to be searched in the same way; and one with no choice of its own.
  const other = await tested({ retrieval: "auto", retrieval_choice_of: retriever });
  expect(other.args).toMatchObject(used);
  const none = await tested({ retrieval: "auto" });
  expect(none.searches.used).toEqual({ tuned: { retrieval: "dense" } });
  expect(none.searches.alone.map(({ retrieval, bm25_weight }) => [retrieval, bm25_weight])).toEqual([
    ["bm25", undefined],
    ["hybrid", 0.5],
  ]);
  expect(lines.some((line) => /words: --retrieval auto finds no hybrid\.json/.test(line))).toBe(true);
});
