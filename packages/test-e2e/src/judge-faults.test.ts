import { readFile, rm } from "node:fs/promises";
import { CancelledError, createDocument, questionId, UserError, writeJsonl } from "@rag-ft/core";
import { createFaultyReplies, type OpenAiServer, type ReplyFunction, startOpenAiServer } from "@rag-ft/test-utils";
import { afterEach, beforeEach, expect, test } from "vitest";
import { JUDGE_PROMPT_SHA256 } from "./judge-prompt.js";
import { runTestE2e } from "./run-test-e2e.js";
import { createSmallTest, fakeParts, type SmallTest } from "./testing/small-test.js";

const QUESTIONS = 40;
let small: SmallTest;
let server: OpenAiServer | undefined;
beforeEach(async () => {
  small = await createSmallTest();
  const gold = createDocument("red cars stop", { source: "https://docs.test/0" });
  await writeJsonl(
    small.path("test_w_qa.jsonl"),
    Array.from({ length: QUESTIONS }, (_, i) => ({
      gold_docs: [gold],
      hard_neg_docs: [],
      chat_history: [],
      question: `red ${i}?`,
      gold_answer: "stop",
    })),
  );
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  await rm(small.path("."), { recursive: true, force: true });
});

/** Right is every answer to a question with an even number. */
const isRight = (content: string): boolean => Number(/red (\d+)\?/.exec(content)?.[1]) % 2 === 0;
const sound = (content: string): string =>
  JSON.stringify({ explanation: "Because.", verdict: isRight(content) ? "correct" : "incorrect" });
const parts = () => fakeParts(() => ({ text: "stop", finish_reason: "stop" }));

async function judgedBy(reply: ReplyFunction, more: Record<string, unknown> = {}) {
  server = await startOpenAiServer({ reply });
  const env = { OPENAI_BASE_URL: server.url, OPENAI_API_KEY: "sk-verysecretkey" };
  const settings = small.settingsOf({ gen_gpt4eval: "true", judge_model: "judge-1", ...more });
  return { settings, context: small.contextOf(env), requests: server.requests };
}
const contentOf = (body: { messages: { content: string }[] }): string => body.messages.at(-1)?.content ?? "";

test("against a server with faults every verdict is accounted for, paid ones are not asked again, and the key is nowhere", async () => {
  const faulty = createFaultyReplies({
    reply: (body) => (contentOf(body).includes("red 7?") ? "I cannot tell." : sound(contentOf(body))),
    rate: 0.3,
    kinds: ["429", "empty", "refusal", "content-filter"],
    retryAfterSeconds: 0,
  });
  const { settings, context } = await judgedBy(faulty.reply, { max_concurrency: "32" });
  const { figures = {}, summary } = await runTestE2e(settings, context, parts());
  for (const kind of ["429", "refusal", "content-filter"]) expect(faulty.faults).toHaveProperty(kind);
  const { gpt4_parsed, gpt4_unparsed, gpt4_failed, gpt4_acc, gpt4_acc_low, gpt4_acc_high } = Object.fromEntries(
    Object.entries(figures).map(([name, value]) => [name.replace("test_gen/", ""), value]),
  ) as Record<string, number>;
  expect(gpt4_unparsed).toBeGreaterThanOrEqual(1);
  expect(gpt4_failed).toBeGreaterThan(0);
  expect((gpt4_parsed ?? 0) + (gpt4_unparsed ?? 0) + (gpt4_failed ?? 0)).toBe(QUESTIONS);
  expect(gpt4_acc_low).toBeLessThan(gpt4_acc ?? 0);
  expect(gpt4_acc_high).toBeGreaterThan(gpt4_acc ?? 1);
  expect(gpt4_acc_low).toBeLessThanOrEqual(0.5);
  expect(gpt4_acc_high).toBeGreaterThanOrEqual(0.5);
  expect(summary).toMatch(/answers have no verdict .*GPT4-Acc lies between/);

  const judge = await small.json<Record<string, unknown>>("out/judge.json");
  expect(judge).toMatchObject({ judge_model: "judge-1", temperature: 0, prompt_sha256: JUDGE_PROMPT_SHA256 });
  expect(judge.verdicts).toMatchObject({ unparsed: gpt4_unparsed, failed: gpt4_failed });
  // Requests that came to a reply were asked once each, whatever happened on the way.
  expect([...faulty.completed.values()].every((times) => times.length === 1)).toBe(true);
  const before = faulty.completed.size;
  const again = await runTestE2e(settings, context, parts());
  expect(again.figures).toEqual(figures);
  expect(faulty.completed.size).toBe(before);
  expect([...faulty.completed.values()].every((times) => times.length === 1)).toBe(true);
  for (const name of ["judge.json", "all_args.json", "completions.jsonl", "test-predictions.jsonl", "score.json"])
    expect(await readFile(small.path(`out/${name}`), "utf8")).not.toContain("verysecret");
});

test("the verdict's schema is asked for, at temperature 0, several requests at once", async () => {
  let running = 0;
  let most = 0;
  const { settings, context, requests } = await judgedBy(async (body) => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, 20));
    running--;
    return sound(contentOf(body));
  });
  const { figures } = await runTestE2e({ ...settings, max_concurrency: 5 }, context, parts());
  expect(figures).toMatchObject({
    "test_gen/gpt4_acc": 0.5,
    "test_gen/gpt4_acc_low": 0.5,
    "test_gen/gpt4_acc_high": 0.5,
  });
  expect(most).toBe(5);
  for (const { body } of requests) {
    expect(body).toMatchObject({ temperature: 0, response_format: { type: "json_schema" } });
  }
});

test("a judging that was stopped goes on without asking again", async () => {
  let asked = 0;
  const controller = new AbortController();
  const { settings, context, requests } = await judgedBy((body) => {
    if (++asked === 20) controller.abort();
    return sound(contentOf(body));
  });
  const stopped = runTestE2e({ ...settings, max_concurrency: 1 }, { ...context, signal: controller.signal }, parts());
  await expect(stopped).rejects.toThrow(CancelledError);
  const continued = parts();
  await runTestE2e({ ...settings, max_concurrency: 1 }, context, continued);
  expect(continued.asked).toHaveLength(0);
  const bodies = requests.map(({ body }) => JSON.stringify(body));
  // The one that was under way when it was stopped may have been lost.
  expect(bodies.length - new Set(bodies).size).toBeLessThanOrEqual(1);
  expect(new Set(bodies).size).toBe(QUESTIONS);
});

test("repeats give the flip rate; the first verdict counts", async () => {
  const times = new Map<string, number>();
  const { settings, context, requests } = await judgedBy(
    (body) => {
      const content = contentOf(body);
      const nth = (times.get(content) ?? 0) + 1;
      times.set(content, nth);
      // Every fourth question's last verdict is the other one.
      const flips = Number(/red (\d+)\?/.exec(content)?.[1]) % 4 === 0 && nth === 3;
      return flips ? '{"explanation": "", "verdict": "incorrect"}' : sound(content);
    },
    { judge_repeats: "3", max_concurrency: "1" },
  );
  const { figures, summary } = await runTestE2e(settings, context, parts());
  expect(figures).toMatchObject({ "test_gen/gpt4_acc": 0.5, "test_gen/gpt4_flip_rate": 0.25 });
  expect(requests).toHaveLength(3 * QUESTIONS);
  expect(summary).toMatch(/changed its verdict on 0\.250 \(95 % interval/);
  expect(await small.json("out/score.json")).toHaveProperty("test_gen/gpt4_flip_rate_ci95");
});

test("kappa against people's labels of these very answers; labels of other answers do not count", async () => {
  const gold_docs = [createDocument("red cars stop", { source: "https://docs.test/0" })];
  const label = (i: number, label: string, more: object = {}) => ({
    question_id: questionId({ question: `red ${i}?`, gold_docs }),
    label,
    ...more,
  });
  await writeJsonl(small.path("labels.jsonl"), [
    // Thought again: the last label counts.
    label(0, "incorrect", { generated_answer: "stop" }),
    ...Array.from({ length: 10 }, (_, i) =>
      label(i, i % 2 === 0 ? "correct" : i === 1 ? "correct" : "retrieval_fault", { generated_answer: "stop" }),
    ),
    label(20, "incorrect", { generated_answer: "another system's answer" }),
  ]);
  const { settings, context } = await judgedBy((body) => sound(contentOf(body)), {
    judge_labels: small.path("labels.jsonl"),
  });
  const { figures, summary } = await runTestE2e(settings, context, parts());
  // 9 of 10 agree; the judge says correct of 5, people of 6: 0.5 by chance.
  expect(figures).toMatchObject({
    "test_gen/gpt4_labels": 10,
    "test_gen/gpt4_agreement": 0.9,
    "test_gen/gpt4_kappa": expect.closeTo(0.8, 12),
  });
  expect(summary).toMatch(/kappa 0\.800 \(95 % interval/);
  expect(await small.json("out/judge.json")).toMatchObject({
    agreement: { table: { correct: { correct: 5, not_correct: 0 }, incorrect: { correct: 1, not_correct: 4 } } },
  });

  await writeJsonl(small.path("labels.jsonl"), [label(0, "right")]);
  await expect(runTestE2e(settings, context, parts())).rejects.toThrow(/labels\.jsonl:1: not labels/);
  await writeJsonl(small.path("labels.jsonl"), [label(0, "correct", { generated_answer: "other" })]);
  await runTestE2e(settings, context, parts());
  expect(small.lines).toContainEqual(expect.stringMatching(/none of its 1 labels/));
  await expect(runTestE2e({ ...settings, gen_gpt4eval: false }, context, parts())).rejects.toThrow(UserError);
});

test("the cost cap stops the judge before it is passed, and what was paid for is kept", async () => {
  const { settings, context, requests } = await judgedBy((body) => sound(contentOf(body)), {
    judge_model: "gpt-4.1-2025-04-14",
    max_cost: "0.01",
    max_concurrency: "1",
  });
  await expect(runTestE2e(settings, context, parts())).rejects.toThrow(/max_cost|cost/);
  expect(requests.length).toBeGreaterThan(0);
  expect(requests.length).toBeLessThan(QUESTIONS);
  const stored = await readFile(small.path("out/completions.jsonl"), "utf8");
  expect(stored.trim().split("\n")).toHaveLength(QUESTIONS + requests.length);
});
