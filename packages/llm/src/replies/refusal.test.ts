import { expect, it } from "vitest";
import { refusalTest } from "./refusal.js";

it("knows a refusal by the sentence that was asked for, and by what English models say instead", () => {
  const refuses = refusalTest("Not in the passage.");
  for (const text of [
    "Not in the passage.",
    "**not in the passage**",
    "I'm sorry, but the passage does not contain this information.",
    "The provided documentation doesn't specify it.",
    "The provided passages don’t describe this setting.",
    "Unfortunately, the text does not mention a limit.",
    "I could not find this in the documentation.",
    "I don't know.",
    "There is no information on quotas.",
    "Based on the provided context, it is not specified in the documentation whether it is free.",
    "This is not mentioned in the passages.",
    "Not in the passage way but by file.",
  ])
    expect(refuses(text), text).toBe(true);
  for (const text of [
    "It is set by file.",
    "The passage says that it is set by file.",
    "There is no limit.",
    "No. It cannot be set.",
    "I can set it by file.",
    "It is not given a default.",
    "The server does not answer in time when the quota is used up.",
    "",
  ])
    expect(refuses(text), text).toBe(false);
});

it.each([
  ["Japanese", "文書には記載がありません。", "文書には記載がありません", "文書に記載された値を使います。"],
  ["Chinese", "文中没有答案。", "**文中没有答案**", "文中的答案是三。"],
  ["Russian", "В тексте нет ответа.", "в тексте нет ответа", "В тексте ответ на второй строке."],
  ["Thai", "ไม่มีในเนื้อหา", "ไม่มีในเนื้อหา !", "มีในเนื้อหา"],
  ["Arabic", "غير موجود في النص.", "«غير موجود في النص»", "موجود في النص."],
  ["Hindi", "पाठ में नहीं है।", "पाठ में नहीं है", "पाठ में है।"],
])("knows a refusal by a sentence in %s", (_, sentence, reply, answer) => {
  const refuses = refusalTest(undefined, sentence);
  expect(refuses(reply)).toBe(true);
  expect(refuses(answer)).toBe(false);
  // English models' own words are known beside it.
  expect(refuses("The passage does not mention it.")).toBe(true);
});

it("a sentence of punctuation alone is no refusal of everything", () => {
  expect(refusalTest("…")("It is set by file.")).toBe(false);
});
