import { fileURLToPath } from "node:url";
import { silentReporter } from "@rag-ft/core";
import { expect, it } from "vitest";
import { type AnswerExample, createAnswerBatch } from "./answer-batch.js";
import { createAnswerScorer } from "./answer-scorer.js";
import { loadDecoder } from "./load-decoder.js";
import { createTrainableDecoder } from "./trainable-decoder.js";

const MODEL = fileURLToPath(new URL("../../../../data/models/tiny-decoder", import.meta.url));

it("is minus the loss that training has for each example by itself, whatever else is in the batch", async () => {
  const decoder = await loadDecoder(MODEL, { env: {}, reporter: silentReporter });
  const tokens = (text: string): number[] => decoder.tokenizer.encode(text, { special: false });
  const examples = [
    ["Source: a.md\nThe option timeout takes milliseconds. What does it take?", " milliseconds"],
    ["What is it?", " The option timeout takes milliseconds, and a string is an error."],
    [`${"Words that say nothing. ".repeat(60)} What is it?`, " no"],
  ].map(([prompt = "", answer = ""]): AnswerExample => ({ prompt: tokens(prompt), answer: tokens(answer) }));
  const scorer = await createAnswerScorer(decoder);
  const scores = await scorer.score(examples);
  const model = await createTrainableDecoder(decoder);
  for (const [i, example] of examples.entries()) {
    const loss = await model.loss(createAnswerBatch([example], decoder.tokenizer.padId, 1 / example.answer.length));
    expect(scores[i]).toBeCloseTo(-loss, 4);
    expect(loss).toBeGreaterThan(0.1);
  }
  expect(new Set(scores).size).toBe(3);
  await scorer.close();
  await model.close();
});
