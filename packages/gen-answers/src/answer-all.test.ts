import { createDocument, silentReporter } from "@rag-ft/core";
import { createFailureLog } from "@rag-ft/llm";
import { expect, test } from "vitest";
import { answerAll, askingOrder } from "./answer-all.js";
import type { Answerer } from "./answerer.js";
import type { OpenQuestion } from "./flatten-questions.js";

const [a, b] = ["A", "B"].map((text) => createDocument(text, { source: text }));
const questions = [a, b, a, b, a].map((passage, i): OpenQuestion => {
  if (passage === undefined) throw new Error("no passage");
  return { gold_docs: [passage], hard_neg_docs: [], chat_history: [], question: `question ${i}` };
});

test("questions of a passage are asked one after the other, and come back in their order", async () => {
  expect(askingOrder(questions)).toEqual([0, 2, 4, 1, 3]);
  const asked: string[] = [];
  const answerer: Answerer = {
    provenance: {},
    concurrency: 1,
    failures: createFailureLog(),
    saysNotInPassage: () => false,
    async answer({ question }) {
      asked.push(question);
      return question === "question 2" ? undefined : `answer to ${question}`;
    },
  };
  const context = { reporter: silentReporter, signal: new AbortController().signal };
  const rows = await answerAll(questions, answerer, context, "answering");
  expect(asked).toEqual([0, 2, 4, 1, 3].map((i) => `question ${i}`));
  expect(rows.map(({ question, gold_answer }) => [question, gold_answer])).toEqual(
    [0, 1, 3, 4].map((i) => [`question ${i}`, `answer to question ${i}`]),
  );
});
