import { expect, test } from "vitest";
import { createDocument } from "./document.js";
import { questionId } from "./test-output.js";

test("a question's id tells questions apart by text, dialogue and gold passages, and by nothing else", () => {
  const gold = createDocument("text", { source: "a" });
  const question = { question: "How?", chat_history: [], gold_docs: [gold] };
  const id = questionId(question);
  expect(id).toMatch(/^[0-9a-f]{16}$/);
  expect(questionId({ question: "How?", gold_docs: [createDocument("text", { source: "a", title: "T" })] })).toBe(id);
  const others = [
    { ...question, question: "How" },
    { ...question, chat_history: [{ speaker: "user", message: "Hi" }] },
    { ...question, gold_docs: [createDocument("text", { source: "b" })] },
    { ...question, gold_docs: [gold, gold] },
  ];
  expect(new Set([id, ...others.map(questionId)]).size).toBe(5);
});
