import { expect, it } from "vitest";
import { sentenceStarts, sentences } from "./sentences.js";

it.each([
  ["English", ["Version 2.1 is out, e.g. for Mr. Smith.", "It works!", '"Does it?"', "See No. 5."]],
  ["a list's numbers", ["1. Open the menu.", "2. Choose."]],
  ["German", ["Öffnen Sie das Menü.", "Übernehmen Sie es."]],
  ["Russian", ["Откройте меню А. С. Пушкина.", "Выберите «Да»!"]],
  ["Arabic", ["هل يعمل؟", "نعم."]],
  ["Hindi", ["यह काम करता है।", "इसे खोलें।"]],
])("cuts %s into sentences", (_, expected) => {
  expect(sentences(` ${expected.join("\n")} `)).toEqual(expected);
});

it.each([
  ["Japanese", ["検索を使います。", "本当に?", "「はい。」", "終わり"]],
  ["Chinese", ["我们回答问题。", "对吗?", "对!"]],
])("cuts %s, which has no spaces, into sentences", (_, expected) => {
  expect(sentences(expected.join(""))).toEqual(expected);
});

it("gives the places of sentences in a stretch of a text", () => {
  const text = "# Head\nOne is\nhere. Two is there.\nRest";
  expect(sentenceStarts(text, 7, 33)).toEqual([7, 20]);
  expect(sentences("")).toEqual([]);
});
