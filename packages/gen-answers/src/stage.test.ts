import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  compactQaRowSchema,
  createDocument,
  documentId,
  type QuestionsRow,
  readJsonl,
  readQa,
  type StagePlan,
  type StageResult,
  silentReporter,
  writeJsonl,
} from "@rag-ft/core";
import type { RequestCounts } from "@rag-ft/llm";
import {
  type ChatRequest,
  createFaultyReplies,
  type OpenAiServer,
  type ReplyFunction,
  startOpenAiServer,
} from "@rag-ft/test-utils";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { outputNames } from "./find-splits.js";
import { genAnswersSettings } from "./settings.js";
import { genAnswers } from "./stage.js";

let folder: string;
let server: OpenAiServer | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "gen-answers-"));
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  await rm(folder, { recursive: true, force: true });
});

function questions(count: number, tag: string): QuestionsRow[] {
  return Array.from({ length: count }, (_, i) => ({
    gold_docs: [
      createDocument(`The ${tag}${i} gate opens at hour ${i} of the day.`, { source: `s/${tag}`, title: "Gates" }),
    ],
    hard_neg_docs: [createDocument("Something else.", { source: `s/${tag}` })],
    chat_history: [],
    questions: [`When does the ${tag}${i} gate open?`, `What opens at hour ${i} (${tag}${i})?`],
    prompt_model: "gpt-asker",
  }));
}

const asked = (body: ChatRequest): string =>
  /Question: (.*)\nAnswer:$/.exec(body.messages.at(-1)?.content ?? "")?.[1] ?? "";
const echo: ReplyFunction = (body) => `Answer: re ${asked(body)}`;

function run(extra: Record<string, unknown>, signal = new AbortController().signal) {
  const settings = genAnswersSettings.parse({ prompt_model: "gpt-test", ...extra });
  return genAnswers.run(settings, { reporter: silentReporter, signal, env: { OPENAI_BASE_URL: server?.url } });
}

describe("gen-answers", () => {
  it("writes one row a question in the reference's format, and the compact twin", async () => {
    server = await startOpenAiServer({ reply: echo });
    const path = join(folder, "train_w_q.jsonl");
    await writeJsonl(path, questions(5, "t"));
    const result = await run({ dataset_w_q: path });
    const rows = await readQa(join(folder, "train_w_qa.jsonl"), silentReporter);
    expect(rows.map((row) => row.gold_answer)).toEqual(
      questions(5, "t").flatMap((row) => row.questions.map((q) => `re ${q}`)),
    );
    expect(Object.keys(rows[0] ?? {}).slice(0, 5)).toEqual([
      "gold_docs",
      "hard_neg_docs",
      "chat_history",
      "question",
      "gold_answer",
    ]);
    expect(rows[0]).toMatchObject({ prompt_model: "gpt-asker", answer_model: "gpt-test" });
    expect(rows[0]?.answer_provenance).toMatchObject({
      model: "gpt-test",
      prompt: expect.stringMatching(/^default@[0-9a-f]{12}$/),
      temperature: 0,
      max_new_tokens: 256,
    });
    const compact = await readJsonl(join(folder, "train_w_a.jsonl"), compactQaRowSchema, { what: "answers" });
    expect(compact).toHaveLength(10);
    expect(compact[2]?.gold_doc_ids).toEqual(rows[2]?.gold_docs.map(documentId));
    expect(result.figures).toMatchObject({ questions: 10, answered: 10, failed: 0, requests_sent: 10 });
    expect(server.requests.every((request) => request.body?.max_tokens === 256)).toBe(true);
  });

  it("sets questions apart that their passage does not answer; a domain without the phrase takes every reply", async () => {
    const replies = [
      "Not in the passage.",
      "not in the passage",
      "It is not in the passage that hours are said.",
      "At 3.",
    ];
    server = await startOpenAiServer({
      reply: (body) => replies[Number(/hour (\d)/.exec(asked(body))?.[1] ?? 3)] ?? "?",
    });
    const path = join(folder, "train_w_q.jsonl");
    await writeJsonl(path, questions(4, "t"));
    const result = await run({ dataset_w_q: path });
    expect(result.figures).toMatchObject({ questions: 8, answered: 6, not_in_passage: 2, failed: 0 });
    const apart = await readQa(join(folder, "train_not_in_passage.jsonl"), silentReporter);
    expect(apart.map(({ question }) => question)).toEqual(["What opens at hour 0 (t0)?", "What opens at hour 1 (t1)?"]);
    expect(await readQa(join(folder, "train_w_qa.jsonl"), silentReporter)).toHaveLength(6);
    expect(result.outputs).toContain(join(folder, "train_not_in_passage.jsonl"));
    expect(result.summary).toMatch(/2 are not answered by their passages/);

    const domain = join(folder, "domain.yaml");
    await writeFile(
      domain,
      "name: bare\nquestion_prompt: {instruction: Ask.}\nanswer_prompt: {instruction: Answer.}\n",
    );
    const all = await run({ dataset_w_q: path, config: domain });
    expect(all.figures).toMatchObject({ answered: 8, not_in_passage: 0 });
    await expect(readFile(join(folder, "train_not_in_passage.jsonl"))).rejects.toThrow(/ENOENT/);
  });

  it("answers all splits of a folder, and a stretch of a file under a name of one's own", async () => {
    server = await startOpenAiServer({ reply: echo });
    for (const split of ["train", "eval", "test"])
      await writeJsonl(join(folder, `${split}_w_q.jsonl`), questions(2, split));
    await run({ dataset_w_q: folder, save_dir: join(folder, "out") });
    for (const split of ["train", "eval", "test"])
      expect(await readQa(join(folder, "out", `${split}_w_qa.jsonl`), silentReporter)).toHaveLength(4);
    await run({
      dataset_w_q: join(folder, "eval_w_q.jsonl"),
      save_name: "few_w_qa.jsonl",
      end_data_idx: "3",
      start_data_idx: "1",
    });
    expect((await readQa(join(folder, "few_w_qa.jsonl"), silentReporter)).map((row) => row.question)).toEqual(
      questions(2, "eval")
        .flatMap((row) => row.questions)
        .slice(1, 3),
    );
    expect(outputNames("train_w_qa")).toEqual({ full: "train_w_qa.jsonl", compact: "train_w_a.jsonl" });
    expect(outputNames("mine.jsonl")).toEqual({ full: "mine.jsonl", compact: "mine_w_a.jsonl" });
    await expect(run({ dataset_w_q: folder, save_name: "x" })).rejects.toThrow(/save_name/);
  });

  it("counts what failed, keeps the rest, and asks only for the rest when run again", async () => {
    let broken = true;
    server = await startOpenAiServer({
      reply: (body, index) =>
        broken && /t[13] gate/.test(asked(body))
          ? { status: 400, body: { error: { message: "filtered" } } }
          : echo(body, index),
    });
    const path = join(folder, "train_w_q.jsonl");
    await writeJsonl(path, questions(5, "t"));
    const result = await run({ dataset_w_q: path, max_concurrency: 4 });
    expect(result.figures).toMatchObject({ questions: 10, answered: 8, failed: 2 });
    expect(result.summary).toMatch(/2 × .*400 filtered/);
    broken = false;
    const again = await run({ dataset_w_q: path });
    expect(again.figures).toMatchObject({ answered: 10, failed: 0, requests_sent: 2, requests_from_store: 8 });
    expect((await readQa(join(folder, "train_w_qa.jsonl"), silentReporter)).map((row) => row.question)).toEqual(
      questions(5, "t").flatMap((row) => row.questions),
    );
  });

  it("accounts for every question when a third of the replies are faults, by kind, and repeats no completed request", async () => {
    const kinds = ["429", "empty", "refusal", "content-filter"] as const;
    const faulty = createFaultyReplies({
      reply: (body) => `re ${asked(body)}`,
      rate: 0.33,
      kinds,
      retryAfterSeconds: 0,
    });
    server = await startOpenAiServer({ reply: faulty.reply });
    const path = join(folder, "train_w_q.jsonl");
    await writeJsonl(path, questions(50, "t"));
    const { figures, record, summary } = await run({ dataset_w_q: path });
    const { tried_again, left_out } = Object(record).requests as RequestCounts;
    expect(tried_again.rate_limit).toBe(faulty.faults["429"]);
    expect(left_out).toEqual({
      empty: faulty.faults.empty,
      refusal: faulty.faults.refusal,
      content_filter: faulty.faults["content-filter"],
    });
    const lost = Object.values(left_out).reduce((sum, count) => sum + count, 0);
    expect(lost).toBeGreaterThan(5);
    expect(figures).toMatchObject({ questions: 100, answered: 100 - lost, failed: lost });
    const skipped = await readJsonl(join(folder, "skipped_questions.jsonl"), z.looseObject({ question: z.string() }), {
      what: "skipped questions",
    });
    const answered = (await readQa(join(folder, "train_w_qa.jsonl"), silentReporter)).map((row) => row.question);
    const all = questions(50, "t").flatMap((row) => row.questions);
    expect([...answered, ...skipped.map((row) => row.question)].sort()).toEqual(all.sort());
    expect(summary).toMatch(/refused by the model +0 +\d+ +0/);
    const sent = server.requests.length;
    await run({ dataset_w_q: path });
    expect(server.requests).toHaveLength(sent);
  });

  it("stops before --max_cost is passed, over all runs, goes on with a higher one, and records what it cost", async () => {
    const faulty = createFaultyReplies({ reply: (body) => `re ${asked(body)}`, rate: 0 });
    server = await startOpenAiServer({ reply: faulty.reply });
    const path = join(folder, "train_w_q.jsonl");
    const prices = join(folder, "prices.yaml");
    await writeFile(prices, "date: 2026-01-02\nbatch: 0.5\nmodels:\n  gpt-test: { input: 100, output: 400 }\n");
    await writeJsonl(path, questions(20, "t"));
    const billed = (): number => (faulty.usage.prompt_tokens * 100 + faulty.usage.completion_tokens * 400) / 1e6;
    const settings = { dataset_w_q: path, prices, max_new_tokens: 30, max_concurrency: 4 };
    for (const max_cost of [0.2, 0.2, 0.3]) {
      await expect(run({ ...settings, max_cost })).rejects.toThrow(/--max_cost 0\.\d: .*higher --max_cost goes on/);
      expect(billed()).toBeLessThanOrEqual(max_cost);
      expect(billed()).toBeGreaterThan(max_cost - 0.05);
    }
    const { figures, record, summary } = await run({ ...settings, max_cost: 5 });
    expect(figures).toMatchObject({ answered: 40 });
    expect(server.requests).toHaveLength(40);
    const { cost } = Object(record).requests as RequestCounts;
    expect((cost?.cost_usd ?? 0) + (cost?.earlier_cost_usd ?? 0)).toBeCloseTo(billed(), 9);
    expect(summary).toMatch(/Cost: 0\.\d{4} USD, by prices of 2026-01-02; 0\.\d{4} USD were paid in earlier runs/);
    await expect(run({ ...settings, prompt_model: "unpriced", max_cost: 1 })).rejects.toThrow(
      /--max_cost needs a price: .*prices\.yaml has no price for "unpriced"/,
    );
  });

  it("gives the same rows through the Batch API, at half the price, and sends a reply that was stored no more", async () => {
    server = await startOpenAiServer({ reply: echo, batch: {} });
    const path = join(folder, "train_w_q.jsonl");
    await writeJsonl(path, questions(5, "t"));
    const at = (save_dir: string, extra = {}) =>
      run({ dataset_w_q: path, prompt_model: "gpt-4.1", save_dir: join(folder, save_dir), ...extra });
    const costOf = ({ record }: StageResult): number => (Object(record).requests as RequestCounts).cost?.cost_usd ?? 0;
    const single = await at("single");
    const batched = await at("batched", { batch: true });
    const rowsOf = (name: string): Promise<string> => readFile(join(folder, name, "train_w_qa.jsonl"), "utf8");
    expect(await rowsOf("batched")).toBe(await rowsOf("single"));
    expect(costOf(batched)).toBeCloseTo(costOf(single) / 2, 12);
    expect(costOf(single)).toBeGreaterThan(0);
    expect(server.batches.map(({ request_counts }) => request_counts.total)).toEqual([10]);
    await at("batched", { batch: true });
    expect(server.batches).toHaveLength(1);
  });

  it("plans what it would send, less what is stored, and calibrates replies by it", async () => {
    server = await startOpenAiServer({ reply: echo });
    const path = join(folder, "train_w_q.jsonl");
    await writeJsonl(path, questions(5, "t"));
    const plan = (): Promise<StagePlan> | undefined =>
      genAnswers.plan?.(genAnswersSettings.parse({ prompt_model: "gpt-4.1", dataset_w_q: path }), {
        reporter: silentReporter,
        signal: new AbortController().signal,
        env: {},
        planned: new Map(),
      });
    const first = (await plan())?.requests[0];
    expect(first).toMatchObject({ purpose: "answers", requests: 10, from_store: 0 });
    expect(server.requests).toHaveLength(0);
    await run({ dataset_w_q: path, prompt_model: "gpt-4.1", end_data_idx: 4 });
    const second = (await plan())?.requests[0];
    expect(second).toMatchObject({ requests: 6, from_store: 4 });
    expect((second?.completion_tokens ?? 0) / 6).toBeLessThan((first?.completion_tokens ?? 0) / 20);
  });

  it("leaves earlier output whole when nothing is answered, and stops after ten failures in a row", async () => {
    server = await startOpenAiServer({ reply: () => ({ status: 400, body: { error: { message: "no" } } }) });
    const path = join(folder, "train_w_q.jsonl");
    await writeJsonl(path, questions(40, "t"));
    await writeFile(join(folder, "train_w_qa.jsonl"), "earlier");
    await expect(run({ dataset_w_q: path, max_concurrency: 2 })).rejects.toThrow(/10 requests in a row failed/);
    expect(server.requests.length).toBeLessThanOrEqual(11);
    expect(await readFile(join(folder, "train_w_qa.jsonl"), "utf8")).toBe("earlier");
  });

  it("explains a wrong file, an empty folder and a missing path", async () => {
    server = await startOpenAiServer({ reply: echo });
    await writeJsonl(join(folder, "documents.jsonl"), [createDocument("text", { source: "s" })]);
    await expect(run({ dataset_w_q: join(folder, "documents.jsonl") })).rejects.toThrow(
      /documents\.jsonl:1: not questions.*document database/,
    );
    await expect(run({ dataset_w_q: folder })).rejects.toThrow(/none of train_w_q/);
    await expect(run({ dataset_w_q: join(folder, "nowhere.jsonl") })).rejects.toThrow(/no such file or folder/);
    expect(server.requests).toHaveLength(0);
  });

  it("takes sentences of the passage with extractive, and says so in each row", async () => {
    const path = join(folder, "train_w_q.jsonl");
    await writeJsonl(path, questions(3, "t"));
    await run({ dataset_w_q: path, prompt_model: "extractive" });
    for (const row of await readQa(join(folder, "train_w_qa.jsonl"), silentReporter)) {
      expect(row.gold_docs[0]?.page_content).toContain(row.gold_answer);
      expect(row.answer_generator).toBe("extractive");
    }
  });
});
