import { createDocument, createRandom, type Document } from "@rag-ft/core";
import { describe, expect, it } from "vitest";
import { composeBatch, flattenQuestions } from "./examples.js";

const passage = (source: string, text: string): Document => createDocument(text, { source });
const a = passage("a", "alpha");
const b = passage("b", "beta");
const twinOfA = passage("copy", "alpha");
const negative = passage("a", "other");

describe("composeBatch", () => {
  it("a passage that is gold for two questions stands once, and is a negative of neither", () => {
    const batch = [
      { question: "1", gold_docs: [a], hard_neg_docs: [] },
      { question: "2", gold_docs: [b], hard_neg_docs: [] },
      { question: "3", gold_docs: [a], hard_neg_docs: [] },
    ];
    const { passages, labels, excluded } = composeBatch(batch, 0, createRandom(0));
    expect(passages).toEqual([a, b]);
    expect(labels).toEqual([0, 1, 0]);
    expect(excluded).toEqual([]);
  });

  it("further gold passages and passages of the same text are excluded for their question only", () => {
    const batch = [
      { question: "1", gold_docs: [a, b], hard_neg_docs: [] },
      { question: "2", gold_docs: [b], hard_neg_docs: [] },
      { question: "3", gold_docs: [twinOfA], hard_neg_docs: [] },
    ];
    const { passages, labels, excluded } = composeBatch(batch, 0, createRandom(0));
    expect(passages).toEqual([a, b, twinOfA]);
    expect(labels).toEqual([0, 1, 2]);
    expect(excluded).toEqual([
      [0, 1],
      [0, 2],
      [2, 0],
    ]);
  });

  it("samples hard negatives by ratio, never one that is gold in the batch", () => {
    const batch = [
      { question: "1", gold_docs: [a], hard_neg_docs: [b, negative] },
      { question: "2", gold_docs: [b], hard_neg_docs: [negative] },
    ];
    expect(composeBatch(batch, 1, createRandom(0)).passages).toEqual([a, b, negative]);
    expect(composeBatch(batch, 0.49, createRandom(0)).passages).toEqual([a, b]);
  });
});

it("one example a question", () => {
  const row = { gold_docs: [a], hard_neg_docs: [b], chat_history: [], questions: ["1", "2"] };
  expect(flattenQuestions([row])).toEqual([
    { question: "1", gold_docs: [a], hard_neg_docs: [b] },
    { question: "2", gold_docs: [a], hard_neg_docs: [b] },
  ]);
});
