import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  createDocument,
  type Document,
  documentId,
  type QuestionsRow,
  readQuestions,
  type StageContext,
  silentReporter,
  writeJsonl,
} from "@rag-ft/core";
import { answerableOf } from "@rag-ft/llm";
import { openDenseRetriever, openPassageEncoder } from "@rag-ft/retrieval";
import { type ChatRequest, type OpenAiServer, startOpenAiServer } from "@rag-ft/test-utils";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { genQuestionsSettings } from "./settings.js";
import { splitBySource } from "./split-by-source.js";
import { genQuestions } from "./stage.js";
import { isStandalone } from "./standalone.js";

const ENCODER = fileURLToPath(new URL("../../../data/models/tiny-encoder", import.meta.url));

let folder: string;
let server: OpenAiServer;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "filters-"));
  server = await startOpenAiServer({ reply });
});
afterEach(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

/** 6 sources of 4 passages. */
const documents: Document[] = Array.from({ length: 24 }, (_, i) =>
  createDocument(`Marker m${i}. ${Array.from({ length: 40 }, (__, w) => `word${i}x${w}`).join(" ")}`, {
    source: `https://example.com/page-${i % 6}`,
    title: `Page ${i % 6}`,
  }),
);

const markerIn = (text: string): number => Number(/Marker m(\d+)\./.exec(text)?.[1]);
const isJudge = (body: ChatRequest): boolean => /Verdict:$/.test(body.messages.at(-1)?.content ?? "");

/** Two questions a passage: one that only the judge drops, for every third passage, and one for a filter to drop, or none. */
function reply(body: ChatRequest): string {
  const text = body.messages.at(-1)?.content ?? "";
  const marker = markerIn(text);
  if (isJudge(body))
    return /Which answer/.test(text) || (/What is kept/.test(text) && marker % 3 === 0) ? "No." : "yes";
  const second = [
    `According to the passage, how large is m${marker} at most?`,
    "How long does an unpaid order live?",
    `Which answer does nobody know of the thing m${marker}, number ${body.seed}?`,
    `Who clears the cache of m${marker} in year ${body.seed}?`,
  ];
  return `Question 1: What is kept under the name of m${marker} by sample ${body.seed}?\nQuestion 2: ${second[marker % 4]}`;
}

async function run(save: string, extra: Record<string, unknown> = {}) {
  const path = join(folder, "documents.jsonl");
  await writeJsonl(path, documents);
  const context: StageContext = {
    reporter: silentReporter,
    signal: new AbortController().signal,
    env: { OPENAI_BASE_URL: server.url, OPENAI_API_KEY: "sk-test-123456789" },
  };
  const settings = genQuestionsSettings.parse({
    document_path: path,
    prompt_model: "gpt-test",
    num_train_data: "12",
    num_eval_test_data: "8",
    save_dir: join(folder, save),
    ...extra,
  });
  return {
    result: await genQuestions.run(settings, context),
    plan: () => genQuestions.plan?.(settings, { ...context, planned: new Map() }),
  };
}

const rowsOf = (save: string, split: string): Promise<QuestionsRow[]> =>
  readQuestions(join(folder, save, `${split}_w_q.jsonl`));
const sourcesOf = (rows: readonly QuestionsRow[]): Set<string> =>
  new Set(rows.flatMap((row) => row.gold_docs.map((gold) => gold.metadata.source)));

describe("standalone", () => {
  it.each([
    "According to the passage, what is a cursor?",
    "What does the article say about payouts?",
    "Based on the information provided, who pays?",
    "What is the product that has been mentioned in the passage?",
    "Which steps are described above?",
    "What is this page about?",
    "As stated in the document, how many retries are made?",
    "What does the author recommend?",
  ])("drops %s", (question) => expect(isStandalone(question)).toBe(false));

  it.each([
    "How do I find a string in a text column?",
    "Who is the author of a commit?",
    "How do I list the rows of the table above a threshold?",
    "Which page of the settings changes the time zone?",
    "How do I describe a document with tags in MongoDB?",
    "Does the writer retry after a failed commit?",
    "How is a section added to an article in the help centre?",
  ])("keeps %s", (question) => expect(isStandalone(question)).toBe(true));
});

describe("filters", () => {
  it("each drops what it is for, says how many, and fills up with further passages, at any concurrency", async () => {
    const filters = "standalone,duplicates,answerable";
    const { result } = await run("one", { filters, max_concurrency: 1 });
    const heldOut = await rowsOf("one", "nontrain");
    const train = await rowsOf("one", "train");
    expect([heldOut.length, train.length]).toEqual([4, 6]);
    const questions = [...heldOut, ...train].flatMap((row) => row.questions);
    expect(questions.filter((question) => question.startsWith("How long does an unpaid"))).toHaveLength(1);
    expect(questions.some((question) => /passage|nobody/.test(question))).toBe(false);
    for (const row of [...heldOut, ...train]) {
      const marker = markerIn(row.gold_docs[0]?.page_content ?? "");
      if (row.questions.some((question) => question.startsWith("What is kept"))) expect(marker % 3).not.toBe(0);
      expect(row.answerability_provenance).toMatchObject({ prompt: expect.stringMatching(/^default@[0-9a-f]{12}$/) });
    }
    const counts = new Map(Object.entries(result.record?.filters ?? {})) as Map<
      string,
      { seen: number; dropped: number }
    >;
    const [standalone, answerable, duplicates] = ["standalone", "answerable", "duplicates"].map((name) =>
      counts.get(name),
    );
    const requests = server.requests.filter((request) => !isJudge(request.body as ChatRequest));
    // A training passage that has held-out questions loses those that repeat them before it meets a filter.
    expect(standalone?.seen).toBe(2 * requests.length - (result.figures?.leaks_removed ?? 0));
    expect(answerable?.seen).toBe((standalone?.seen ?? 0) - (standalone?.dropped ?? 0));
    expect(duplicates?.seen).toBe((answerable?.seen ?? 0) - (answerable?.dropped ?? 0));
    expect((duplicates?.seen ?? 0) - (duplicates?.dropped ?? 0)).toBe(questions.length);
    expect(result.summary).toMatch(/filter +questions +dropped +kept/);
    const kept = await readFile(join(folder, "one", "train_w_q.jsonl"), "utf8");
    await run("many", { filters, max_concurrency: 7 });
    expect(await readFile(join(folder, "many", "train_w_q.jsonl"), "utf8")).toBe(kept);
    for (const mode of ["init_eval_dset", "create_eval_dset", "create_train_dset"])
      await run("parts", { filters, mode });
    expect(await readFile(join(folder, "parts", "train_w_q.jsonl"), "utf8")).toBe(kept);
  });

  it("without any, the rows say nothing of filters and nobody judges", async () => {
    const { result } = await run("out", { filters: "none" });
    expect(server.requests.some((request) => isJudge(request.body as ChatRequest))).toBe(false);
    const [row] = await rowsOf("out", "train");
    expect(Object.keys(row ?? {}).sort()).toEqual([
      "chat_history",
      "gold_docs",
      "hard_neg_docs",
      "prompt_model",
      "question_provenance",
      "questions",
    ]);
    expect(row?.questions).toHaveLength(2);
    expect(result.summary).not.toContain("filter");
  });

  it("the dry run counts the judge's requests", async () => {
    const { plan } = await run("out", { filters: "answerable", num_train_data: 2, num_eval_test_data: 4 });
    // All is in the store now: nothing is left to be sent.
    const planned = (await plan())?.requests ?? [];
    expect(planned.map(({ purpose, requests }) => [purpose, requests])).toEqual([
      ["questions", 0],
      ["judge", 0],
    ]);
    expect(planned.reduce((sum, { from_store }) => sum + from_store, 0)).toBe(server.requests.length);
    const fresh = await run("fresh", { filters: "none" }).then(() =>
      genQuestions.plan?.(
        genQuestionsSettings.parse({
          document_path: join(folder, "documents.jsonl"),
          prompt_model: "gpt-test",
          num_train_data: 4,
          num_eval_test_data: 4,
          save_dir: join(folder, "nothing-yet"),
          filters: "all",
          embedding_model: ENCODER,
        }),
        {
          reporter: silentReporter,
          signal: new AbortController().signal,
          env: {},
          planned: new Map(),
        },
      ),
    );
    expect(fresh?.requests.map(({ purpose, requests }) => [purpose, requests])).toEqual([
      ["questions", 4],
      ["judge", 8],
    ]);
  });

  it("round trip: keeps the questions that retrieve their passage", async () => {
    for (const save of ["all", "some"]) await run(save, { mode: "init_eval_dset" });
    await run("all", { mode: "create_eval_dset", num_eval_test_data: 48 });
    const { result } = await run("some", {
      mode: "create_eval_dset",
      filters: "round-trip",
      round_trip_k: 2,
      embedding_model: ENCODER,
      num_eval_test_data: 48,
    });
    const context = { reporter: silentReporter, signal: new AbortController().signal, env: {} };
    const encoder = await openPassageEncoder(ENCODER, { ...context, device: "cpu" });
    const retriever = await openDenseRetriever(documents, encoder, context);
    const expected: string[] = [];
    for (const { gold_docs, questions } of await rowsOf("all", "nontrain")) {
      const found = await retriever.retrieve(questions, 2);
      expected.push(
        ...questions.filter((_, i) =>
          found[i]?.documents.some((document) => documentId(document) === documentId(gold_docs[0] as Document)),
        ),
      );
    }
    await retriever.close();
    const kept = (await rowsOf("some", "nontrain")).flatMap((row) => row.questions);
    expect(expected.length).toBeGreaterThan(0);
    expect(kept).toEqual(expected);
    expect(result.figures?.dropped_by_round_trip).toBeGreaterThan(0);
  });

  it("says what is missing before a request is paid for", async () => {
    await expect(run("out", { filters: "round-trip" })).rejects.toThrow(/--embedding_model/);
    await expect(run("out", { hard_negatives: "mined" })).rejects.toThrow(/--embedding_model/);
    await expect(run("out", { filters: "answerable", prompt_model: "extractive" })).rejects.toThrow(/asks a model/);
    expect(() => genQuestionsSettings.parse({ filters: "standalon" })).toThrow(/standalone/);
    expect(server.requests).toHaveLength(0);
  });

  it("reads verdicts as models give them", () => {
    expect(
      ['{"answerable":"no"}', "Yes.", "**yes**, it does", '```json\n{"answerable": "yes"}\n```'].map(answerableOf),
    ).toEqual([false, true, true, true]);
    expect(["", "Maybe", "nothing", "I think yes"].map(answerableOf)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe("mined negatives", () => {
  it("come from the whole database, never the gold passage, and are written to all files", async () => {
    const { result } = await run("out", { hard_negatives: "mined", embedding_model: ENCODER, negative_margin: 1 });
    const rows = [
      ...(await rowsOf("out", "train")),
      ...(await rowsOf("out", "eval")),
      ...(await rowsOf("out", "test")),
    ];
    let elsewhere = 0;
    for (const { gold_docs, hard_neg_docs } of rows) {
      expect(hard_neg_docs.map(documentId)).not.toContain(documentId(gold_docs[0] as Document));
      elsewhere += hard_neg_docs.filter((doc) => doc.metadata.source !== gold_docs[0]?.metadata.source).length;
    }
    expect(elsewhere).toBeGreaterThan(0);
    expect(result.figures?.mined_negatives).toBe(rows.reduce((sum, row) => sum + row.hard_neg_docs.length, 0));
  });
});

describe("split by source", () => {
  it("no two splits share a source, and parts give what all gives", async () => {
    const bySource = { split_by: "source", num_eval_test_data: 12 };
    await run("out", bySource);
    const [train, evaluation, test] = await Promise.all(["train", "eval", "test"].map((split) => rowsOf("out", split)));
    const all = [train, evaluation, test].map((rows) => [...sourcesOf(rows ?? [])]);
    expect(all.every((sources) => sources.length > 0)).toBe(true);
    expect(new Set(all.flat()).size).toBe(all.flat().length);
    for (const mode of ["init_eval_dset", "create_eval_dset", "create_train_dset"])
      await run("parts", { ...bySource, mode });
    expect(await readFile(join(folder, "parts", "train_w_q.jsonl"), "utf8")).toBe(
      await readFile(join(folder, "out", "train_w_q.jsonl"), "utf8"),
    );
  });

  it("cuts between sources, nearest to the middle", () => {
    const rows = ["a", "a", "a", "b", "c"].map(
      (source) => ({ gold_docs: [createDocument("x", { source })], questions: ["q?"] }) as unknown as QuestionsRow,
    );
    expect(splitBySource(rows).evaluation).toHaveLength(3);
  });

  it("says when the sources do not suffice", async () => {
    await expect(run("out", { split_by: "source", num_eval_test_data: 48 })).rejects.toThrow(/none for training/);
    await expect(run("out", { split_by: "source", num_eval_test_data: 4 })).rejects.toThrow(
      /one for evaluation and another/,
    );
  });
});
