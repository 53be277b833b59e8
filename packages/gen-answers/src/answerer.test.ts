import { createDocument } from "@rag-ft/core";
import { createRequestTally, readDomainConfig, type StoredModel } from "@rag-ft/llm";
import { expect, it } from "vitest";
import { modelAnswerer, notInPassage } from "./answerer.js";
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
