import { createDocument, type Document, type Reporter, silentReporter } from "@rag-ft/core";
import { createWordEncoder } from "@rag-ft/test-utils";
import { expect, test } from "vitest";
import { evaluateRetrieval } from "./evaluate-retrieval.js";
import { openIndex } from "./open-index.js";

const signal = new AbortController().signal;
const documents = ["red", "red green", "blue", "green blue"].map((text, i) =>
  createDocument(text, { source: `https://docs.test/${i}` }),
);
const [red, redGreen, blue, greenBlue] = documents as [Document, Document, Document, Document];

test("figures of four questions, worked out by hand", async () => {
  const warnings: string[] = [];
  const reporter: Reporter = { ...silentReporter, warn: (line) => warnings.push(line) };
  const encoder = createWordEncoder(["red", "green", "blue"]);
  const index = await openIndex(documents, encoder, { reporter, signal });
  const result = await evaluateRetrieval({
    index,
    encoder,
    reporter,
    signal,
    ks: [1, 2],
    questions: [
      // red 1, redGreen 1: the tie goes to the lower id.
      { question: "red", gold_docs: [red] },
      // the same order: gold comes second.
      { question: "red?", gold_docs: [redGreen] },
      // greenBlue 2, redGreen 1, blue 1: one of two gold passages in the first two.
      { question: "green blue", gold_docs: [greenBlue, blue] },
      // Same text, other source: not the same passage, and not in the database.
      { question: "blue", gold_docs: [createDocument("blue", { source: "https://elsewhere.test" })] },
    ],
  });
  expect(result.scores.map((score) => score.gold_ranks)).toEqual([[1], [2], [1, null], [null]]);
  expect(result.figures["document_recall/recall1"]).toBe(1 / 4);
  expect(result.figures["document_recall/recall2"]).toBe(2 / 4);
  // Each first passage holds its gold passages' words or is held by them.
  expect(result.figures["near_fragment_recall/recall1"]).toBe(1);
  // One of the four is held by its gold passage only: a fragment.
  expect(result.figures["near_recall/recall1"]).toBe(3 / 4);
  expect(result.figures["fraction_recall/recall1"]).toBe(1.5 / 4);
  expect(result.figures["fraction_recall/recall2"]).toBe(2.5 / 4);
  expect(result.figures.mrr).toBe((1 + 1 / 2 + 1 + 0) / 4);
  expect(result.unanswerable).toBe(1);
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toContain("1 of 4 questions");
});

test("questions are embedded in one call", async () => {
  const encoder = createWordEncoder(["red", "green", "blue"]);
  const index = await openIndex(documents, encoder, { reporter: silentReporter, signal });
  const questions = [
    { question: "red", gold_docs: [red] },
    { question: "blue", gold_docs: [blue] },
  ];
  await evaluateRetrieval({ index, encoder, questions, reporter: silentReporter, signal });
  expect(encoder.calls.filter((call) => call.kind === "query").map((call) => call.texts)).toEqual([["red", "blue"]]);
});
