import { expect, it } from "vitest";
import { createDocument } from "./document.js";
import { buildAnswer, buildPrompt, defaultPromptFormat, type PromptFormat, promptMessages } from "./rag-prompt.js";

const passages = [createDocument("One.", { source: "a", title: "A" }), createDocument("Two.", { source: "b" })];

it("puts system text, passages, history and question in order, and ends where the answer begins", () => {
  const history = [
    { speaker: "user", message: "Hello" },
    { speaker: "assistant", message: "Hi" },
  ];
  expect(buildPrompt({ ...defaultPromptFormat, system_text: "Be brief." }, passages, "Why?", history)).toBe(
    "Be brief.\n\nSource: a\nTitle: A\nContent:\nOne.\nSource: b\nContent:\nTwo.\n\n" +
      "USER: Hello ASSISTANT: Hi</s>USER: Why? ASSISTANT: ",
  );
});

it("writes ChatML when prefixes and separators say so", () => {
  const chatMl: PromptFormat = {
    system_text: "Be brief.",
    system_prefix: "<|im_start|>system\n",
    sep_system: "<|im_end|>\n",
    user_prefix: "<|im_start|>user\n",
    assistant_prefix: "<|im_start|>assistant\n",
    sep_user: "<|im_end|>\n",
    sep_sys: "<|im_end|>",
  };
  expect(buildPrompt(chatMl, passages.slice(1), "Why?")).toBe(
    "<|im_start|>system\nBe brief.\n\nSource: b\nContent:\nTwo.<|im_end|>\n" +
      "<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n",
  );
  expect(buildAnswer(chatMl, "Because.")).toBe("Because.<|im_end|>");
});

it("sets a space, not a colon, after a prefix that ends in a bracket", () => {
  const format = { ...defaultPromptFormat, system_text: "", user_prefix: "<|user|>", assistant_prefix: "<|bot|>" };
  expect(buildPrompt(format, [], "Why?")).toBe("\n\n\n\n<|user|> Why? <|bot|> ");
});

it("numbers passages where answers cite them, and takes the numbers out of earlier answers", () => {
  const cites = { ...defaultPromptFormat, system_text: "S.", citations: true };
  const passages = ["one", "two"].map((text) => ({ fmt_content: text }));
  const history = [
    { speaker: "user", message: "Is [1] it?" },
    { speaker: "assistant", message: "So it is [2]." },
  ];
  expect(buildPrompt(cites, passages, "Why?", history)).toBe(
    "S. After each statement, cite the passages that it comes from by their numbers, such as [1].\n\n[1] one\n[2] two\n\nUSER: Is [1] it? ASSISTANT: So it is.</s>USER: Why? ASSISTANT: ",
  );
  const [system, , answer] = promptMessages(cites, passages, "Why?", history);
  expect(system?.content).toMatch(/\[1\]\.\n\n\[1\] one\n\[2\] two$/);
  expect(answer?.content).toBe("So it is.");
});
