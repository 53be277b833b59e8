import { createDocument } from "@rag-ft/core";
import { createRequestTally, readDomainConfig, type StoredModel } from "@rag-ft/llm";
import { expect, it } from "vitest";
import { extractiveAnswerer, modelAnswerer } from "./answerer.js";
import { genAnswersSettings } from "./settings.js";

const open = {
  question: "How is it set?",
  gold_docs: [createDocument("It is set by file.", { source: "s" })],
  hard_neg_docs: [],
  chat_history: [],
};

async function answerOf(text: string): Promise<string | undefined> {
  const model: StoredModel = { tally: createRequestTally(), complete: async () => ({ text, finish_reason: "stop" }) };
  const settings = genAnswersSettings.parse({ dataset_w_q: "x", prompt_model: "m" });
  return modelAnswerer(
    model,
    await readDomainConfig(undefined),
    settings,
    () => undefined,
    1,
    new AbortController().signal,
  ).answer(open, 0);
}

it.each([
  ["By file.", "By file."],
  ["Answer: By file.", "By file."],
  ["**Answer:** By file.", "By file."],
  ["Sure! Here is the answer: By file.", "By file."],
  ["Here's the answer to your question:\n\nBy file.", "By file."],
  ["Certainly! By file.", "By file."],
  // What only looks like a preface.
  ["Here are the steps: stop, set, start.", "Here are the steps: stop, set, start."],
  ["Sure settings win.", "Sure settings win."],
])("%j", async (reply, answer) => {
  expect(await answerOf(reply)).toBe(answer);
});

it("knows a missing answer where the domain has a phrase for it, and takes every reply for an answer where it has none", async () => {
  const model: StoredModel = { tally: createRequestTally(), complete: () => Promise.reject(new Error("not asked")) };
  const settings = genAnswersSettings.parse({ dataset_w_q: "x", prompt_model: "m" });
  const domain = await readDomainConfig(undefined);
  const { signal } = new AbortController();
  const answerer = modelAnswerer(model, domain, settings, () => undefined, 1, signal);
  expect(answerer.saysNotInPassage("**not in the passage**")).toBe(true);
  expect(answerer.saysNotInPassage("The passage does not mention it.")).toBe(true);
  expect(answerer.saysNotInPassage("It is set by file.")).toBe(false);
  const without = { ...domain, answer_prompt: { ...domain.answer_prompt, not_in_passage: undefined } };
  const taking = modelAnswerer(model, without, settings, () => undefined, 1, signal);
  expect(taking.saysNotInPassage("The passage does not mention it.")).toBe(false);
});

it("asks in the language of the passages, and rules for English give no answer to others", async () => {
  const asked: string[] = [];
  const model: StoredModel = {
    tally: createRequestTally(),
    complete: async ([system]) => {
      asked.push(system?.content ?? "");
      return { text: "ファイルで設定します。", finish_reason: "stop" };
    },
  };
  const settings = genAnswersSettings.parse({ dataset_w_q: "x", prompt_model: "m" });
  const gold = createDocument("値はファイルで設定します。", { source: "s" });
  const languageOf = (text: string): string | undefined => (text.includes("ファイル") ? "Japanese" : undefined);
  const { signal } = new AbortController();
  const answerer = modelAnswerer(model, await readDomainConfig(undefined), settings, languageOf, 1, signal);
  const foreign = { ...open, question: "値はどこで設定しますか？", gold_docs: [gold] };
  expect(await answerer.answer(foreign, 0)).toBe("ファイルで設定します。");
  await answerer.answer(open, 0);
  expect(asked[0]).toContain("The answer to this question is to be in Japanese");
  expect(asked[1]).not.toContain("is to be in");

  const rules = extractiveAnswerer(languageOf);
  expect(await rules.answer(foreign, 0)).toBeUndefined();
  expect(rules.failures.lines().join()).toContain('not in English, as the rules of "extractive" are');
});
