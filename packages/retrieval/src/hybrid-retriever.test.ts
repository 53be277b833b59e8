import { createDocument, type Document, silentReporter } from "@rag-ft/core";
import { expect, test } from "vitest";
import { denseRetriever } from "./dense-retriever.js";
import { evaluateRetriever } from "./evaluate-retrieval.js";
import { standardise } from "./fused-scores.js";
import { evaluateWeights, hybridRetriever } from "./hybrid-retriever.js";
import type { PassageEncoder } from "./passage-encoder.js";
import { MemoryStore } from "./stores/memory/memory-store.js";

const documents = ["grey wall", "green wall", "red wall", "blue wall"].map((text) =>
  createDocument(text, { source: "s" }),
);
// One dimension: by their vectors the passages rank 0, 1, 2, 3 for every question.
const store = new MemoryStore(1);
await store.add(documents, Float32Array.from([4, 3, 2, 1]));
const index = { documents, store };
let embedded = 0;
const encoder: PassageEncoder = {
  dimensions: 1,
  settings: { pooling: "mean", similarity: "dot", query_prefix: "", passage_prefix: "", max_length: 8 },
  fingerprint: "one",
  embed: async (texts) => {
    embedded += texts.length;
    return new Float32Array(texts.length).fill(1);
  },
  close: async () => {},
};

/** Dense scores 4, 3, 2, 1, standardised: (score - 2.5) / sqrt(1.25). */
const DENSE = [1.5, 0.5, -0.5, -1.5].map((score) => score / Math.sqrt(1.25));
/** "red" stands in one of four passages; whatever its score s, the mean is s/4 and the deviation s·sqrt(3)/4. */
const RED = [-1, -1, 3, -1].map((score) => score / Math.sqrt(3));

test("standardised scores have mean 0 and deviation 1; equal ones are all 0", () => {
  expect([...standardise(Float64Array.from([1, 2, 3]))]).toEqual([-Math.sqrt(1.5), 0, Math.sqrt(1.5)]);
  expect([...standardise(Float64Array.from([0.1, 0.1, 0.1]))]).toEqual([0, 0, 0]);
  expect(standardise(new Float64Array(0))).toHaveLength(0);
});

test.each([
  { weight: 0, order: [0, 1, 2, 3] },
  { weight: 0.5, order: [0, 2, 1, 3] },
  { weight: 1, order: [2, 0, 1, 3] },
])("dense + $weight BM25, worked out by hand", async ({ weight, order }) => {
  const [found, unknown] = await hybridRetriever(index, encoder, weight).retrieve(["red", "pink"], 4);
  expect(found?.ids).toEqual(order);
  found?.scores.forEach((score, rank) => {
    const id = order[rank] as number;
    expect(score).toBeCloseTo((DENSE[id] as number) + weight * (RED[id] as number), 12);
  });
  expect(found?.documents).toEqual(order.map((id) => documents[id]));
  // No passage has the word: the vectors alone decide.
  expect(unknown?.ids).toEqual([0, 1, 2, 3]);
});

test("fewer passages are returned when fewer are asked for, none without a question, and many questions stay in order", async () => {
  const hybrid = hybridRetriever(index, encoder, 1);
  expect(await hybrid.retrieve([], 4)).toEqual([]);
  const questions = Array.from({ length: 37 }, (_, i) => (i % 2 === 0 ? "red" : "blue pink"));
  const found = await hybrid.retrieve(questions, 1);
  expect(found.map(({ ids }) => ids)).toEqual(questions.map((question) => [question === "red" ? 2 : 0]));
  await expect(hybrid.retrieve(questions, 1, { signal: AbortSignal.abort() })).rejects.toThrow();
});

test("all weights are measured as each is by itself, with the questions embedded once", async () => {
  const gold = (id: number): Document[] => [documents[id] as Document];
  const questions = [
    { question: "red", gold_docs: gold(2) },
    { question: "pink", gold_docs: gold(0) },
  ];
  const options = { questions, reporter: silentReporter, signal: new AbortController().signal };
  const before = embedded;
  const measured = await evaluateWeights({ index, encoder }, [0, 0.5, 1], options);
  expect(embedded - before).toBe(2);
  expect(measured.map(({ figures }) => figures.mrr)).toEqual([(1 / 3 + 1) / 2, (1 / 2 + 1) / 2, 1]);
  for (const { bm25_weight, figures } of measured) {
    const alone = await evaluateRetriever(hybridRetriever(index, encoder, bm25_weight), options);
    expect(figures).toEqual(alone.figures);
  }
  expect(measured[0]?.figures).toEqual((await evaluateRetriever(denseRetriever(index, encoder), options)).figures);
});
