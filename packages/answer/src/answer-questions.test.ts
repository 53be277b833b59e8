import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentReporter } from "@rag-ft/core";
import { openCompletionStore } from "@rag-ft/llm";
import { expect, test } from "vitest";
import { answerQuestions } from "./answer-questions.js";
import type { Generator } from "./generator.js";

/** Answers a question with itself, and notes how many it was asked at once. */
function noting(most: { atOnce: number }): Generator {
  let running = 0;
  return {
    identity: "local:noting",
    provider: "local",
    concurrency: 5,
    prepare: ({ question }) => ({
      messages: [{ role: "user", content: question }],
      options: { temperature: 0, max_new_tokens: 4, timeout_ms: 1000 },
      dropped: 0,
      droppedTurns: 0,
      async send() {
        running++;
        most.atOnce = Math.max(most.atOnce, running);
        await new Promise((resolve) => setTimeout(resolve, 5));
        running--;
        return { text: question, finish_reason: "stop", seconds: 0.001 };
      },
    }),
    close: async () => {},
  };
}

test("asks as many at once as suit the model, unless told, and takes a time that the model says", async () => {
  const folder = await mkdtemp(join(tmpdir(), "answer-questions-"));
  const store = await openCompletionStore(join(folder, "completions.jsonl"));
  const signal = new AbortController().signal;
  const requests = Array.from({ length: 20 }, (_, i) => ({ question: `question ${i}`, history: [], passages: [] }));
  try {
    for (const [concurrency, expected] of [
      [undefined, 5],
      [2, 2],
    ] as const) {
      const most = { atOnce: 0 };
      const some = requests.map((request) => ({ ...request, question: `${request.question} of ${expected}` }));
      const more = concurrency === undefined ? {} : { concurrency };
      const { answers } = await answerQuestions(noting(most), some, {
        store,
        reporter: silentReporter,
        signal,
        ...more,
      });
      expect(most.atOnce).toBe(expected);
      expect(answers.map(({ text }) => text)).toEqual(some.map(({ question }) => question));
      expect(answers.every(({ seconds }) => seconds === 0.001)).toBe(true);
    }
  } finally {
    await store.close();
    await rm(folder, { recursive: true });
  }
});
