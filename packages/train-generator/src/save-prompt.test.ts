import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  buildAnswer,
  buildPrompt,
  createDocument,
  defaultPromptFormat,
  type PromptFormat,
  promptMessages,
  readPromptFormat,
  silentReporter,
} from "@rag-ft/core";
import { loadChatFormat, loadTokenizer } from "@rag-ft/models";
import { afterEach, beforeEach, expect, it } from "vitest";
import { savePrompt } from "./save-prompt.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "save-prompt-"));
});
afterEach(() => rm(folder, { recursive: true }));

const place = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const fixture = (kind: string): string => place(`packages/models/src/tokenizer/fixtures/${kind}`);
const passages = [createDocument("A passage with\nlines, “quotes” and <s> 東京.", { source: "a" })];
const history = [
  { speaker: "user", message: "First?" },
  { speaker: "assistant", message: "It's so." },
];
const odd: PromptFormat = {
  system_text: 'Say "yes"\n\tor {{ no }} \\ {% ever %}',
  system_prefix: "<|im_start|>system\n",
  sep_system: "<|im_end|>\n",
  user_prefix: "<|im_start|>user\n",
  assistant_prefix: "[/INST]",
  sep_user: "",
  sep_sys: "<|im_end|>\n",
};

it.each([
  ["tiny-decoder", place("data/models/tiny-decoder"), defaultPromptFormat],
  ["byte-level BPE", fixture("byte-bpe"), odd],
  ["BPE of SentencePiece's kind, with <s> before every text", fixture("metaspace-bpe"), defaultPromptFormat],
  ["the same in an odd format", fixture("metaspace-bpe"), odd],
])("the saved template gives the tokens of training in a format of parts: %s", async (_, model, format) => {
  await cp(model, folder, { recursive: true });
  const tokenizer = await loadTokenizer(folder);
  const warnings: string[] = [];
  const reporter = { ...silentReporter, warn: (line: string) => warnings.push(line) };
  await savePrompt(folder, { prompt: format }, tokenizer, reporter);
  expect(warnings).toEqual([]);
  expect(await readPromptFormat(folder)).toEqual(format);

  const chat = await loadChatFormat(folder, await loadTokenizer(folder));
  const { asText, encode } = tokenizer;
  const messages = promptMessages(format, passages, "What <|im_end|> is it?", history);
  const trained = encode(buildPrompt(format, passages, "What <|im_end|> is it?", history, asText));
  expect(encode(chat?.prompt(messages) ?? "", { special: false })).toEqual(trained);
  const texts = chat?.example(messages, "An answer.");
  const stop = buildAnswer(format, "An answer.").trim();
  if (tokenizer.tokenId(format.sep_sys.trim()) !== undefined) expect(texts?.answer).toBe(stop);
  // Without a system's message the instruction of training is there all the same.
  const alone = chat?.prompt([{ role: "user", content: "Why?" }]);
  expect(encode(alone ?? "", { special: false })).toEqual(encode(buildPrompt(format, [], "Why?")));
});

it("generation stops at the format's stop token; the model's own template stays as it is", async () => {
  await cp(fixture("byte-bpe"), folder, { recursive: true });
  const tokenizer = await loadTokenizer(folder);
  await savePrompt(folder, { prompt: { ...odd, sep_sys: "<|im_start|>" } }, tokenizer, silentReporter);
  const settings = JSON.parse(await readFile(join(folder, "generation_config.json"), "utf8"));
  expect(settings.eos_token_id).toContain(tokenizer.tokenId("<|im_start|>"));

  const chat = await loadChatFormat(folder, tokenizer);
  if (!chat) throw new Error("no template");
  const before = await readFile(join(folder, "tokenizer_config.json"));
  const prompt = { prompt: "chat_template", system_text: "Short.", enable_thinking: false } as const;
  await savePrompt(folder, { prompt, chat }, tokenizer, silentReporter);
  expect(await readFile(join(folder, "tokenizer_config.json"))).toEqual(before);
  expect(await readPromptFormat(folder)).toEqual(prompt);
});
