import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createDocument, promptMessages, readPromptFormat, silentReporter, writeJsonl } from "@rag-ft/core";
import { openLanguageModel } from "@rag-ft/llm";
import { loadChatFormat, loadTokenizer, writeChatTemplate } from "@rag-ft/models";
import { afterAll, beforeAll, expect, it } from "vitest";
import { makeExamples } from "./examples.js";
import { trainGenerator } from "./index.js";

// Turns end at `<s>`, which is not the stop token that the model's folder names.
const TEMPLATE =
  "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '<s>' }}{% endfor %}{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}";
const tiny = (name: string): string => fileURLToPath(new URL(`../../../data/models/${name}`, import.meta.url));
const context = { reporter: silentReporter, signal: new AbortController().signal, env: {} };
const rows = ["red", "green", "blue"].map((colour, i) => ({
  gold_docs: [createDocument(`Cable ${i} is ${colour}.`, { source: `cable-${i}.md` })],
  hard_neg_docs: [],
  chat_history: [],
  question: `Which colour has cable ${i}?`,
  gold_answer: `<think>\nLet me see.\n</think>\n\nIt is ${colour}.`,
  line: i + 1,
}));

let folder: string;
const at = (name: string): string => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "chat-training-"));
  await cp(tiny("tiny-decoder"), at("base"), { recursive: true });
  await writeChatTemplate(at("base"), TEMPLATE);
  await writeJsonl(
    at("documents.jsonl"),
    rows.flatMap((row) => row.gold_docs),
  );
  await writeJsonl(at("train_w_qa.jsonl"), rows);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it("examples are the template's: the dialogue as turns, texts as texts, the loss on the answer and the turn's end alone", async () => {
  const tokenizer = await loadTokenizer(at("base"));
  const chat = await loadChatFormat(at("base"), tokenizer);
  if (!chat) throw new Error("no template");
  const format = { prompt: "chat_template", system_text: "Read.", enable_thinking: false } as const;
  const chat_history = [
    { speaker: "user", message: "Hello<s>" },
    { speaker: "assistant", message: "<think>Who?</think>Hi." },
  ];
  const [row] = rows as [(typeof rows)[0]];
  const settings = { format, chat, tokenizer, maxTokens: 400, maxRetrieved: 0, seed: 1 };
  const [example] = makeExamples([{ row: { ...row, chat_history }, retrieved: [] }], settings, "test", silentReporter);
  const { prompt = [], answer = [] } = example ?? {};
  expect(tokenizer.decode(prompt)).toBe(
    "system: Read.\n\nSource: cable-0.md\nContent:\nCable 0 is red.<s>user: Hello<s><s>assistant: Hi.<s>user: Which colour has cable 0?<s>assistant: ",
  );
  const end = tokenizer.tokenId("<s>");
  expect(prompt.filter((id) => id === end)).toHaveLength(4);
  expect(tokenizer.decode(answer)).toBe("It is red.<s>");
  expect(answer.filter((id) => id === end)).toEqual([answer.at(-1)]);
});

it("a model trained by its template answers by it, stops at the turn's end, and keeps the template", async () => {
  const said: string[] = [];
  const settings = trainGenerator.settings.parse({
    model_name_or_path: at("base"),
    embedding_model: tiny("tiny-encoder"),
    retrieval: "bm25",
    embedding_max_num_to_retrieve: 0,
    full_dataset_file_path: at("documents.jsonl"),
    train_file: at("train_w_qa.jsonl"),
    eval_file: at("train_w_qa.jsonl"),
    output_dir: at("run"),
    do_eval: false,
    per_device_train_batch_size: 3,
    max_steps: 50,
    learning_rate: 2e-3,
    save_onnx: false,
  });
  const reporter = { ...silentReporter, info: (line: string) => said.push(line) };
  await trainGenerator.run(settings, { ...context, reporter });
  expect(said).toContainEqual(expect.stringMatching(/base: asked by its own chat template\.$/));
  const prompt = await readPromptFormat(at("run"));
  expect(prompt).toMatchObject({ prompt: "chat_template", enable_thinking: false });
  const text = (name: string): Promise<string> => readFile(at(name), "utf8");
  expect(await text("run/tokenizer_config.json")).toBe(await text("base/tokenizer_config.json"));
  expect(JSON.parse(await text("run/generation_config.json")).eos_token_id).toEqual([2, 1]);

  const answerer = await openLanguageModel(`local:${at("run")}`, { ...context, env: { RAG_FT_CACHE: at("cache") } });
  for (const row of rows) {
    const messages = promptMessages({ system_text: prompt?.system_text ?? "" }, row.gold_docs, row.question);
    const options = { temperature: 0, max_new_tokens: 24, timeout_ms: 60_000 };
    const completion = await answerer.complete(messages, options);
    expect(completion).toMatchObject({ text: row.gold_answer.split("\n").at(-1), finish_reason: "stop" });
  }
  await answerer.close();
}, 180_000);
