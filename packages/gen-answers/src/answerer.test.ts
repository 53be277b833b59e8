import { createDocument } from "@rag-ft/core";
import { createRequestTally, readDomainConfig, type StoredModel } from "@rag-ft/llm";
import { expect, it } from "vitest";
import { extractiveAnswerer, modelAnswerer, notInPassage } from "./answerer.js";
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

it("knows a missing answer by the phrase that was asked for, and by what English models say instead", () => {
  const isMissing = notInPassage("Not in the passage.");
  for (const text of [
    "Not in the passage.",
    "**not in the passage**",
    "I'm sorry, but the passage does not contain this information.",
    "The provided documentation doesn't specify it.",
    "Unfortunately, the text does not mention a limit.",
  ])
    expect(isMissing(text), text).toBe(true);
  for (const text of [
    "Not in the passage way but by file.",
    "It is set by file.",
    "The passage says that it is set by file.",
  ])
    expect(isMissing(text), text).toBe(text.startsWith("Not in the passage"));
});

it.each([
  ["Japanese", "文書には記載がありません。", "文書には記載がありません", "文書に記載された値を使います。"],
  ["Chinese", "文中没有答案。", "**文中没有答案**", "文中的答案是三。"],
  ["Russian", "В тексте нет ответа.", "в тексте нет ответа", "В тексте ответ на второй строке."],
  ["Thai", "ไม่มีในเนื้อหา", "ไม่มีในเนื้อหา !", "มีในเนื้อหา"],
  ["Arabic", "غير موجود في النص.", "«غير موجود في النص»", "موجود في النص."],
  ["Hindi", "पाठ में नहीं है।", "पाठ में नहीं है", "पाठ में है।"],
])("knows a missing answer by a phrase in %s", (_, phrase, reply, answer) => {
  expect(notInPassage(phrase)(reply)).toBe(true);
  expect(notInPassage(phrase)(answer)).toBe(false);
  // English models' own words are known beside it.
  expect(notInPassage(phrase)("The passage does not mention it.")).toBe(true);
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
