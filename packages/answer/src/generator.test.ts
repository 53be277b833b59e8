import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDocument, type PromptFormat } from "@rag-ft/core";
import { type LanguageModel, resolveModelName } from "@rag-ft/llm";
import { afterEach, beforeEach, expect, test } from "vitest";
import { chatGenerator, promptGenerator } from "./generator.js";

const words = (text: string): number => text.split(/\s+/).filter((word) => word !== "").length;
const passages = ["one", "two", "three"].map((text) => createDocument(text, { source: "s" }));
const answer = { max_new_tokens: 4, timeout_ms: 1000, seed: 0 };
const chatMl: PromptFormat = {
  system_text: "Answer.",
  system_prefix: "<|im_start|>system\n",
  sep_system: "<|im_end|>\n",
  user_prefix: "<|im_start|>user\n",
  assistant_prefix: "<|im_start|>assistant\n",
  sep_user: "<|im_end|>\n",
  sep_sys: "<|im_end|>\n",
};

function echo(): LanguageModel & { prompts: string[] } {
  const prompts: string[] = [];
  return {
    name: "echo",
    provider: "local",
    prompts,
    complete: async () => ({ text: "chat", finish_reason: "stop" }),
    generate: async (prompt) => {
      prompts.push(prompt);
      return { text: "raw", finish_reason: "stop" };
    },
    close: async () => {},
  };
}

test("a local model gets the raw prompt of its training, greedily, and stops at its separator", async () => {
  const model = echo();
  const generator = promptGenerator(model, "id", chatMl, { count: words, max_tokens: 1000 }, answer);
  const prepared = generator.prepare({ question: "Why?", history: [], passages: passages.slice(0, 1) });
  expect(await prepared.send()).toEqual({ text: "raw", finish_reason: "stop" });
  expect(model.prompts).toEqual([
    "<|im_start|>system\nAnswer.\n\nSource: s\nContent:\none<|im_end|>\n<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n",
  ]);
  expect(prepared.options).toMatchObject({ temperature: 0, stop: ["<|im_end|>\n", "<|im_end|>"] });
});

test("a prompt too long loses its lowest-ranked passages, and no more than it must", () => {
  const build = (max_tokens: number) =>
    promptGenerator(echo(), "id", chatMl, { count: words, max_tokens }, answer).prepare({
      question: "Why?",
      history: [],
      passages,
    });
  const whole = words(build(1000).messages[0]?.content ?? "");
  expect(build(whole + 4).dropped).toBe(0);
  const shorter = build(whole + 3);
  expect(shorter.dropped).toBe(1);
  expect(shorter.messages[0]?.content).toContain("two");
  expect(shorter.messages[0]?.content).not.toContain("three");
  // The question stays even when no passage fits.
  const bare = build(2);
  expect(bare.dropped).toBe(3);
  expect(bare.messages[0]?.content).toContain("Why?");
});

test("a chat model gets instruction and passages as system message and the dialogue as turns", () => {
  const prepared = chatGenerator(echo(), "id", { system_text: "Answer." }, answer).prepare({
    question: "And then?",
    history: [
      { speaker: "user", message: "What first?" },
      { speaker: "assistant", message: "<think>\nHm.\n</think>\nThis." },
    ],
    passages: passages.slice(0, 2),
  });
  expect(prepared.messages).toEqual([
    { role: "system", content: "Answer.\n\nSource: s\nContent:\none\nSource: s\nContent:\ntwo" },
    { role: "user", content: "What first?" },
    { role: "assistant", content: "This." },
    { role: "user", content: "And then?" },
  ]);
});

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-generator-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test("names: prefixes decide, then folders, OpenAI's names, hub ids, and the server's names", async () => {
  const server = { OPENAI_BASE_URL: "http://localhost:1/v1" };
  expect(await resolveModelName(folder, server)).toEqual({ kind: "local", folderOrId: folder });
  expect(await resolveModelName("gpt-4o-mini", {})).toEqual({ kind: "openai", model: "gpt-4o-mini" });
  expect(await resolveModelName("o3", {})).toEqual({ kind: "openai", model: "o3" });
  expect(await resolveModelName("org/some-model.1", server)).toEqual({
    kind: "local",
    folderOrId: "org/some-model.1",
  });
  expect(await resolveModelName("my-model", server)).toEqual({ kind: "openai", model: "my-model" });
  expect(await resolveModelName("openai:org/m", {})).toEqual({ kind: "openai", model: "org/m" });
  expect(await resolveModelName("local:gpt-2", server)).toEqual({ kind: "local", folderOrId: "gpt-2" });
  await expect(resolveModelName("my-model", {})).rejects.toThrow(/no such folder/);
  await expect(resolveModelName("./out/ckpt", server)).rejects.toThrow(/no such folder/);
  await expect(resolveModelName("a/b/c", server)).rejects.toThrow(/no such folder/);
});

test("a chat model in this process loses the lowest-ranked passages of a prompt too long, counted as its template writes it", async () => {
  const count = (messages: readonly { content: string }[]): number =>
    messages.reduce((sum, { content }) => sum + words(content), 0);
  const build = (max_tokens: number) =>
    chatGenerator(
      echo(),
      "id",
      { system_text: "Answer." },
      { ...answer, thinking: true },
      { count, max_tokens },
    ).prepare({
      question: "Why?",
      history: [],
      passages,
    });
  const whole = build(1000);
  expect(whole.dropped).toBe(0);
  expect(whole.options).toMatchObject({ temperature: 0, thinking: true });
  const shorter = build(count(whole.messages) + 3);
  expect(shorter.dropped).toBe(1);
  expect(shorter.messages[0]?.content).toContain("two");
  expect(shorter.messages[0]?.content).not.toContain("three");
});
