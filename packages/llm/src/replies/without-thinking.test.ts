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
  ["<think>hm</thinking>By file.", "By file."],
  ["<reflection>hm</reflection>By file.", "By file."],
  ["<think>hm</think><answer>By file.</answer>", "By file."],
  ["<|begin_of_thought|>hm<|end_of_thought|>\n<|begin_of_solution|>By file.<|end_of_solution|>", "By file."],
  ["<|START_THINKING|>hm<|END_THINKING|><|START_RESPONSE|>By file.<|END_RESPONSE|>", "By file."],
  [
    "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>By file.<|return|>",
    "By file.",
  ],
  ["<|start|>assistant<|channel|>analysis<|message|>hm<|end|><|channel|>final<|message|>By file.", "By file."],
  ["<|channel|>analysis<|message|>hm<|channel|>final<|message|>By file.", "By file."],
  ["<|channel|>commentary<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>By file.", "By file."],
  ["analysisWe need the file.assistantfinalby file.", "by file."],
  ["analysisWe need the file. It is there.assistantfinalBy file.", "By file."],
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
    "analysis of the file is final",
    "Analysis: the assistant final step.",
    "Write <answer>x</answer> there.",
    "  By file.\n",
  ])
    expect(withoutThinking(reply)).toEqual({ text: reply, thought: false, unfinished: false });
});

it("tells a reply that never came to its answer", () => {
  for (const cut of ["<think>\nOkay, the user asks", "<|start|>assistant<|channel|>analysis<|message|>Okay, the"])
    expect(withoutThinking(cut)).toEqual({ text: "", thought: true, unfinished: true });
});

it("takes the answer out of a tag of its own", () => {
  expect(withoutThinking("<answer>By file.</answer>").text).toBe("By file.");
});

it("shows nothing of thoughts while a reply grows", () => {
  const reply = "<think>hm</think>\nBy file.";
  const shown = Array.from({ length: reply.length }, (_, i) => visibleSoFar(reply.slice(0, i + 1)));
  expect(shown.every((text) => "By file.".startsWith(text))).toBe(true);
  expect(shown.at(-1)).toBe("By file.");
});
