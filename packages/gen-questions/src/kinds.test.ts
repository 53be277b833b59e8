import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDocument, documentId, type QuestionsRow, readQuestions, silentReporter, writeJsonl } from "@rag-ft/core";
import { type ChatRequest, startOpenAiServer } from "@rag-ft/test-utils";
import { afterEach, beforeEach, expect, it } from "vitest";
import { genQuestionsSettings } from "./settings.js";
import { genQuestions } from "./stage.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "gen-questions-kinds-"));
  const passages = Array.from({ length: 90 }, (_, i) => {
    const words = Array.from({ length: 35 }, (__, w) => `word${i}x${w}`).join(" ");
    return createDocument(`Marker m${i} prints an error. ${words}`, { source: `https://docs.test/page-${i % 15}` });
  });
  await writeJsonl(join(folder, "documents.jsonl"), passages);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const KINDS = "{full: 0.3, keywords: 0.2, error_message: 0.1, how_to: 0.1, follow_up: 0.2, two_passages: 0.1}";
async function settingsOf(extra: Record<string, unknown> = {}, kinds = KINDS) {
  const config = join(folder, "domain.yaml");
  const prompts = "question_prompt: {instruction: Ask.}\nanswer_prompt: {instruction: Answer.}";
  await writeFile(config, `name: test\nquestion_kinds: ${kinds}\n${prompts}\n`);
  return genQuestionsSettings.parse({
    document_path: join(folder, "documents.jsonl"),
    prompt_model: "gpt-test",
    num_train_data: "80",
    num_eval_test_data: "20",
    save_dir: join(folder, "out"),
    config,
    ...extra,
  });
}

/** What is asked for, by the words of the instruction, and the passages' markers. */
function askedBy({ messages }: ChatRequest): { instruction: string; markers: string[]; text: string } {
  const text = messages.at(-1)?.content ?? "";
  return {
    instruction: messages[0]?.content ?? "",
    text,
    markers: [...text.matchAll(/Marker (m\d+) /g)].map(([, marker]) => marker ?? ""),
  };
}

function reply(body: ChatRequest): string {
  const { instruction, markers, text } = askedBy(body);
  const m = markers.join(" ");
  if (/Reply with one word/.test(instruction)) return text.includes("Dialogue:") ? "no" : "yes";
  if (instruction.includes("search box")) return `Search 1: marker ${m}\nSearch 2: ${m} words`;
  if (instruction.includes("a warning or a failure")) return `Search 1: error in ${m}`;
  if (instruction.includes("dialogue between"))
    return `Question: What is ${m}?\nAnswer: It is a marker.\nFollow-up: And what does it print?`;
  if (instruction.includes("both passages")) return `Question 1: How do ${markers.join(" and ")} differ?`;
  if (instruction.includes("'How do I ...'")) return `Question 1: How do I use ${m}?`;
  return `Question 1: What is ${m}?\nQuestion 2: Which words has ${m}?`;
}

async function run(extra: Record<string, unknown> = {}, kinds?: string) {
  const server = await startOpenAiServer({ reply });
  try {
    const settings = await settingsOf(extra, kinds);
    const env = { OPENAI_BASE_URL: server.url };
    const context = { reporter: silentReporter, signal: new AbortController().signal, env };
    const plan = await genQuestions.plan?.(settings, { ...context, planned: new Map() });
    const result = await genQuestions.run(settings, context);
    const [train, held] = await Promise.all(
      ["train_w_q", "nontrain_w_q"].map((name) => readQuestions(join(folder, "out", `${name}.jsonl`))),
    );
    return { result, plan, train: train as QuestionsRow[], held: held as QuestionsRow[], requests: server.requests };
  } finally {
    await server.close();
  }
}

it("each kind has its share, in its own form; rows say it, follow-ups have their dialogue, pairs both passages; no passage is in two sets", async () => {
  const { result, plan, train, held, requests } = await run();
  const of = (kind: string) => train.filter((row) => row.question_kind === kind);
  expect(
    ["full", "keywords", "error_message", "how_to", "follow_up", "two_passages"].map((kind) => of(kind).length),
  ).toEqual([12, 8, 4, 4, 8, 4]);
  expect(of("keywords")[0]?.questions.join()).toMatch(/^marker m\d+,m\d+ words$/);
  for (const row of of("follow_up")) {
    expect(row.questions).toEqual(["And what does it print?"]);
    expect(row.chat_history).toEqual([
      { speaker: "user", message: expect.stringMatching(/^What is m\d+\?$/) },
      { speaker: "assistant", message: "It is a marker." },
    ]);
  }
  for (const row of of("two_passages")) {
    expect(row.gold_docs).toHaveLength(2);
    expect(row.questions[0]).toMatch(/^How do m\d+ and m\d+ differ\?$/);
  }
  const gold = [...train, ...held].flatMap((row) => row.gold_docs.map(documentId));
  expect(new Set(gold).size).toBe(gold.length);
  expect(result.figures).toMatchObject({
    keywords_questions: 2 * 10,
    follow_up_questions: 10,
    two_passages_questions: 5,
  });
  // The dry run foresees every request of theirs.
  expect(plan?.requests).toMatchObject([{ purpose: "questions", requests: 50 }]);
  expect(requests).toHaveLength(50);
  const form = requests
    .map(({ body }) => body && askedBy(body))
    .find((asked) => asked?.instruction.includes("dialogue"));
  expect(form?.instruction).toContain("'Follow-up: ...'");
  expect(result.summary).toContain("beside another in a question over both");
});

it("filters read a follow-up in its dialogue, and do not ask it to stand alone", async () => {
  const { train, requests } = await run({ filters: "standalone,answerable" }, "{full: 0.5, follow_up: 0.5}");
  // The judge of this test calls no question of a dialogue answered: all that is left are full ones.
  expect(new Set(train.map((row) => row.question_kind))).toEqual(new Set(["full"]));
  const judged = requests
    .flatMap(({ body }) => (body ? [askedBy(body)] : []))
    .filter(({ text }) => text.includes("Dialogue:"));
  expect(judged[0]?.text).toMatch(/^Dialogue:\nUser: What is m\d+\?\nSystem: It is a marker\.\n\nPassage:/);
  const standalone = await run({ filters: "standalone", save_dir: join(folder, "out") }, "{full: 0.5, follow_up: 0.5}");
  expect(standalone.train.filter((row) => row.question_kind === "follow_up").length).toBeGreaterThan(10);
});

it("shares that do not add up, and kinds that nobody knows, are refused; rules say what they cannot make", async () => {
  const context = { reporter: silentReporter, signal: new AbortController().signal, env: {} };
  await expect(genQuestions.run(await settingsOf({}, "{full: 0.5, keywords: 0.3}"), context)).rejects.toThrow(
    /domain\.yaml: .*question_kinds.*add up to 1, these to 0\.8/,
  );
  await expect(genQuestions.run(await settingsOf({}, "{riddles: 1}"), context)).rejects.toThrow(/question_kinds/);
  const prose = Array.from({ length: 40 }, (_, i) =>
    createDocument(
      `# gate${i}\n\n## Opening a gate\n\nThe gate number ${i} is opened with the key number ${i} that its keeper keeps in a pocket of his own coat, and shut again by hand at hour ${i} of every day.`,
      { source: `gate${i}/readme.md`, title: `gate${i}` },
    ),
  );
  await writeJsonl(join(folder, "documents.jsonl"), prose);
  const extractive = await settingsOf(
    { prompt_model: "extractive", num_train_data: 20, num_eval_test_data: 8 },
    "{how_to: 0.5, follow_up: 0.5}",
  );
  const { summary } = await genQuestions.run(extractive, context);
  expect(summary).toContain("Rules (extractive) cannot make questions of the kinds follow_up");
  const rows = await readQuestions(join(folder, "out", "train_w_q.jsonl"));
  expect(new Set(rows.map((row) => row.question_kind))).toEqual(new Set(["how_to"]));
});

it("without kinds in the domain, requests and rows are what they were", async () => {
  const { train, requests } = await run({ config: undefined });
  expect(train[0]).not.toHaveProperty("question_kind");
  expect(requests[0]?.body?.messages[0]?.content).toMatch(
    /^You help to build a test .* write two different questions that somebody/,
  );
});
