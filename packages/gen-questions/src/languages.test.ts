import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createDocument,
  type Document,
  readQuestions,
  type StageContext,
  silentReporter,
  writeJsonl,
} from "@rag-ft/core";
import { type ChatRequest, type OpenAiServer, startOpenAiServer } from "@rag-ft/test-utils";
import { afterEach, beforeEach, expect, it } from "vitest";
import { genQuestionsSettings } from "./settings.js";
import { genQuestions } from "./stage.js";

const TOPICS = ["キャッシュ", "検索", "認証", "通知", "翻訳", "印刷", "暗号化", "圧縮", "監視", "予約", "課金", "配信"];

const japanese = (topic: string): string =>
  `${topic}の設定は管理画面で変更できます。${topic}を有効にすると、保存された値がすぐに使われ、再起動は必要ありません。${topic}が失敗した場合は、ログを確認してから、もう一度実行してください。`;
const english = (topic: number): string =>
  `The option number ${topic} of the tool is set in its configuration file. Where it is left out, the tool reads the value of the environment, and where that is missing too, it falls back to the default of ${topic} seconds.`;

/** Twelve pages in Japanese, three in English. */
const documents: Document[] = [
  ...TOPICS.map((topic, i) => createDocument(japanese(topic), { source: `ja-${i}`, title: topic })),
  ...[11, 12, 13].map((topic) => createDocument(english(topic), { source: `en-${topic}`, title: "Options" })),
];

let folder: string;
let server: OpenAiServer;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "languages-"));
  server = await startOpenAiServer({ reply });
});
afterEach(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

const passageOf = (body: ChatRequest): string => body.messages.at(-1)?.content ?? "";
const isJapanese = (body: ChatRequest): boolean => passageOf(body).includes("管理画面");

function reply(body: ChatRequest): string {
  if (/Verdict:$/.test(passageOf(body))) return "yes";
  const topic = /Title: (.*)\n/.exec(passageOf(body))?.[1];
  const number = /number (\d+)/.exec(passageOf(body))?.[1];
  return isJapanese(body)
    ? `Question 1: ${topic}の設定はどこで変更できますか？\nQuestion 2: ${topic}が失敗した場合、${body.seed === 0 ? "何を確認" : "どう"}しますか？`
    : `Question 1: Where is option ${number} set in year ${body.seed}?\nQuestion 2: According to the passage, what is option ${number}?`;
}

async function run(extra: Record<string, unknown> = {}) {
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
    num_hard_negs_per_doc: "0",
    num_train_data: "14",
    num_eval_test_data: "16",
    filters: "standalone,answerable,duplicates",
    save_dir: join(folder, "out"),
    ...extra,
  });
  return {
    result: await genQuestions.run(settings, context),
    plan: () => genQuestions.plan?.(settings, { ...context, planned: new Map() }),
  };
}

const systemOf = (body: ChatRequest | undefined): string => body?.messages[0]?.content ?? "";
const rowsOf = (split: string) => readQuestions(join(folder, "out", `${split}_w_q.jsonl`));

it("asks for questions in the passage's language, and leaves prompts of English passages as they were", async () => {
  const { result, plan } = await run();
  const bodies = server.requests.flatMap(({ body }) => body ?? []);
  const asked = bodies.filter((body) => !/Verdict:$/.test(passageOf(body)));
  const japaneseOnes = asked.filter(isJapanese);
  const englishOnes = asked.filter((body) => !isJapanese(body));
  expect([japaneseOnes.length, englishOnes.length].every((count) => count > 0)).toBe(true);
  for (const body of japaneseOnes) expect(systemOf(body)).toContain("are to be in the language of the passage;");
  for (const body of englishOnes) expect(systemOf(body)).toMatch(/then 'Question 2: \.\.\.'\.$/);
  const judged = bodies.filter((body) => /Verdict:$/.test(passageOf(body)));
  for (const body of judged) expect(/not in English/.test(systemOf(body))).toBe(isJapanese(body));

  // Lengths by words, whatever the script: every passage may be asked about.
  expect(result.figures?.passages).toBe(documents.length);
  const questions = (await Promise.all(["train", "eval", "test"].map(rowsOf))).flat().flatMap((row) => row.questions);
  expect(questions.filter((question) => question.endsWith("？")).length).toBeGreaterThan(12);
  // The second sample's first question repeats the first's: dropped as a duplicate. English rules drop what leans on the passage.
  expect(new Set(questions).size).toBe(questions.length);
  expect(questions.join()).not.toContain("According to the passage");
  expect(result.summary).toMatch(
    /\d+ of the \d+ passages asked about are not in English: their questions were asked for in their language\./,
  );
  expect(result.summary).toMatch(
    /standalone knows English only: \d+ questions to passages in other languages went by it unseen\./,
  );
  // Leaks are taken out before; of the rest, each question was looked at or went by.
  const { standalone } = (result.record as { filters: { standalone: { seen: number; not_english: number } } }).filters;
  expect(standalone.not_english).toBeGreaterThanOrEqual(japaneseOnes.length);
  expect(standalone.not_english).toBeLessThanOrEqual(2 * japaneseOnes.length);
  expect(standalone.seen).toBeLessThanOrEqual(2 * englishOnes.length);
  // What the run asked is what a plan would ask.
  const planned = await plan?.();
  expect(planned?.requests.find(({ purpose }) => purpose === "questions")).toMatchObject({ requests: 0 });
});

it("the domain's language, by code or name, is told instead", async () => {
  const config = join(folder, "domain.yaml");
  const prompts = "question_prompt: { instruction: Ask. }\nanswer_prompt: { instruction: Answer. }\n";
  await writeFile(config, `name: x\nlanguage: ja\n${prompts}`);
  await run({ config, filters: "none" });
  for (const { body } of server.requests)
    if (body)
      expect(systemOf(body)).toBe(
        "Ask. The questions to this passage are to be in Japanese; only the labels 'Question 1:' and 'Question 2:' stay English.",
      );
  const before = server.requests.length;
  await writeFile(config, `name: x\nlanguage: English\n${prompts}`);
  await run({ config, filters: "none" });
  expect(server.requests.length).toBeGreaterThan(before);
  for (const { body } of server.requests.slice(before)) if (body) expect(systemOf(body)).toBe("Ask.");
});

it("the rules of extractive leave other languages alone, and say so", async () => {
  const { result } = await run({ prompt_model: "extractive", filters: "none" }).catch((error: Error) => ({
    result: { summary: error.message },
  }));
  expect(result.summary).toMatch(/None of \d+ passages gave a usable .* question/);
  expect(result.summary).toMatch(/not in English, as the rules of "extractive" are/);
  await expect(readFile(join(folder, "out", "train_w_q.jsonl"))).rejects.toThrow(/ENOENT/);
});
