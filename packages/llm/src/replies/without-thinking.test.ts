import { expect, it } from "vitest";
import { visibleSoFar, withoutThinking } from "./without-thinking.js";

const read = (reply: string) => withoutThinking(reply).text;

it.each([
  ["<think>\nHm. 1. What?\n</think>\n\nBy file.", "By file."],
  ["<THINK>hm</THINK>By file.", "By file."],
  ["<thinking>hm</thinking>\nBy file.", "By file."],
  ["<think></think>\n\nBy file.", "By file."],
  ["<think>a</think>\nBy file.\n<think>b</think>\nAnd so on.", "By file.\n\nAnd so on."],
  ["Okay, let me see.\n</think>\n\nBy file.", "By file."],
  ["Okay.</think>\nBy file.", "By file."],
  ["[THINK]hm[/THINK]By file.", "By file."],
  ["◁think▷hm◁/think▷By file.", "By file."],
  ["By file.\n<think>\nand then it was cut", "By file."],
])("%j", (reply, text) => {
  expect(read(reply)).toBe(text);
  expect(withoutThinking(reply).thought).toBe(true);
});

it("leaves alone what speaks of the marks, or shows them", () => {
  for (const reply of [
    "Set `<think>` and `</think>` as the tags.",
    "The tag <think> opens it, </think> closes it.",
    "Use:\n```xml\n<think>\nhere\n</think>\n```\nand go on.",
    "  By file.\n",
  ])
    expect(withoutThinking(reply)).toEqual({ text: reply, thought: false, unfinished: false });
});

it("tells a reply that never came to its answer", () => {
  expect(withoutThinking("<think>\nOkay, the user asks")).toEqual({ text: "", thought: true, unfinished: true });
});

it("shows nothing of thoughts while a reply grows", () => {
  const reply = "<think>hm</think>\nBy file.";
  const shown = Array.from({ length: reply.length }, (_, i) => visibleSoFar(reply.slice(0, i + 1)));
  expect(shown.every((text) => "By file.".startsWith(text))).toBe(true);
  expect(shown.at(-1)).toBe("By file.");
});
