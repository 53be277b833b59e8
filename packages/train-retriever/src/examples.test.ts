import { createDocument, createRandom, type Document } from "@rag-ft/core";
import { flattenQuestions, withGoldOfSameQuestion } from "@rag-ft/retrieval";
import { describe, expect, it } from "vitest";
import { composeBatch } from "./examples.js";
import { countMasked, nearPassagesOf } from "./near-duplicate-masks.js";
import { countPositives, severalPositives } from "./positives.js";

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

  it("the gold passages of rows that ask the same are negatives of neither, be they gold or hard negatives in the batch", () => {
    const examples = withGoldOfSameQuestion([
      { question: "How does it work?", gold_docs: [a], hard_neg_docs: [b] },
      { question: "how does it work", gold_docs: [b], hard_neg_docs: [] },
      { question: "Which other?", gold_docs: [negative], hard_neg_docs: [] },
    ]);
    expect(examples.map(({ gold_docs }) => gold_docs)).toEqual([[a, b], [b, a], [negative]]);
    const { labels, excluded } = composeBatch(examples, 0, createRandom(0));
    expect(labels).toEqual([0, 1, 2]);
    expect(excluded).toEqual([
      [0, 1],
      [1, 0],
    ]);
    // The second row is in another batch.
    const apart = composeBatch([examples[0], examples[2]] as typeof examples, 0.5, createRandom(0));
    expect(apart.passages).toEqual([a, negative]);
  });

  describe("with near-duplicates", () => {
    const words = "the option called timeout sets how long a request may take before it is given up";
    const gold = passage("guide", words);
    const longer = passage("reference", `${words} and an error is thrown`);
    const far = passage("other", "cookies are kept between requests of one client unless they are refused");
    const batch = [
      { question: "1", gold_docs: [gold], hard_neg_docs: [longer] },
      { question: "2", gold_docs: [far], hard_neg_docs: [] },
    ];

    it("a hard negative and another question's gold passage are masked for the questions they would answer alone", async () => {
      const { isNear } = await nearPassagesOf([gold, longer, far], new AbortController().signal);
      const plain = composeBatch(batch, 0.5, createRandom(0));
      expect(plain).toMatchObject({ passages: [gold, far, longer], excluded: [], nearDuplicates: 0 });
      const masked = composeBatch(batch, 0.5, createRandom(0), { isNear });
      expect(masked).toEqual({ ...plain, excluded: [[0, 2]], nearDuplicates: 1 });

      const both = [...batch, { question: "3", gold_docs: [longer], hard_neg_docs: [] }];
      const inBatch = composeBatch(both, 0, createRandom(0), { isNear });
      expect(inBatch.passages).toEqual([gold, far, longer]);
      expect(inBatch.excluded).toEqual([
        [0, 2],
        [2, 0],
      ]);
      // 3 questions with 2 passages each that are not their own; the first batch has as many pairs of 2 questions.
      expect(countMasked([masked, inBatch])).toEqual({ pairs: 10, masked_pairs: 3, share: 0.3 });
    });

    it("passages of the same text are masked as before and not counted twice", async () => {
      const twins = [a, twinOfA].map((own) => ({ question: own.page_content, gold_docs: [own], hard_neg_docs: [] }));
      const { isNear } = await nearPassagesOf([a, twinOfA], new AbortController().signal);
      const { excluded, nearDuplicates } = composeBatch(twins, 0, createRandom(0), { isNear });
      expect(excluded).toHaveLength(2);
      expect(nearDuplicates).toBe(0);
    });
  });
});

describe("with several positives", () => {
  const words = "the option called timeout sets how long a request may take before it is given up";
  const gold = passage("guide", words);
  const fragment = passage("note", words.split(" ").slice(0, 12).join(" "));
  const longer = passage("reference", `${words} and an error is thrown after that`);
  const copy = passage("copy", words);
  const other = passage("faq", "a request ends after this many milliseconds");
  const far = passage("far", "cookies are kept between requests of one client unless they are refused");
  const examples = withGoldOfSameQuestion([
    { question: "What ends a request?", gold_docs: [gold], hard_neg_docs: [fragment] },
    { question: "what ends a request", gold_docs: [other], hard_neg_docs: [] },
    { question: "3", gold_docs: [far], hard_neg_docs: [] },
    { question: "4", gold_docs: [longer], hard_neg_docs: [] },
  ]);
  const database = [far, longer, copy, gold, other, fragment];
  const near = () => nearPassagesOf(database, new AbortController().signal);

  it("the gold passages of other rows and passages that hold one are positives; a fragment is not", async () => {
    const { isNear, holds, holding } = await near();
    expect(holding(gold)).toEqual([longer, copy]);
    const positives = severalPositives({ isNear, holds, holding }, 0);
    const made = composeBatch(examples, 0.25, createRandom(0), { isNear, positives });
    expect(made.passages).toEqual([gold, other, far, longer, fragment]);
    // The question of the longer passage has no other positive: the shorter ones need not hold what it says.
    expect(made.positives).toEqual([
      [0, 1],
      [0, 3],
      [1, 0],
      [1, 3],
    ]);
    expect(made.excluded).toEqual([...made.positives, [0, 4], [1, 4], [3, 0], [3, 4]].sort());
    expect(made.labels).toEqual([0, 1, 2, 3]);
    expect(composeBatch(examples, 0.25, createRandom(0), { isNear }).positives).toEqual([]);
    expect(countPositives([made, made])).toEqual({ questions: 8, with_several: 4, further: 8 });
    // Without masks it is a negative, as before.
    const unmasked = composeBatch(examples, 0.25, createRandom(0), { positives });
    expect(unmasked.excluded).toEqual(unmasked.positives);
    expect(unmasked.positives).toEqual(made.positives);
  });

  it("draws others of a question's positives into its step, by the random numbers given", async () => {
    const found = await near();
    const drawnBy = (seed: number, count: number) =>
      composeBatch([examples[0], examples[2]] as typeof examples, 0, createRandom(seed), {
        positives: severalPositives(found, count),
      });
    expect(new Set(drawnBy(1, 9).passages.slice(2))).toEqual(new Set([other, longer, copy]));
    expect(drawnBy(1, 9).positives).toEqual([
      [0, 2],
      [0, 3],
      [0, 4],
    ]);
    const one = [1, 2, 3, 4, 5, 6, 7, 8].map((seed) => drawnBy(seed, 1).passages[2]);
    expect(one).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((seed) => drawnBy(seed, 1).passages[2]));
    expect(new Set(one).size).toBeGreaterThan(1);
    expect(drawnBy(1, 0).passages).toEqual([gold, far]);
  });
});

it("one example a question", () => {
  const row = { gold_docs: [a], hard_neg_docs: [b], chat_history: [], questions: ["1", "2"] };
  expect(flattenQuestions([row])).toEqual([
    { question: "1", gold_docs: [a], hard_neg_docs: [b] },
    { question: "2", gold_docs: [a], hard_neg_docs: [b] },
  ]);
});

it("a question in a dialogue is trained on as it is searched by, and is another than the same words elsewhere", () => {
  const chat_history = [
    { speaker: "User", message: "What is x?" },
    { speaker: "Assistant", message: "A thing." },
  ];
  const rows = [
    { gold_docs: [a], hard_neg_docs: [], chat_history, questions: ["And its default?"] },
    { gold_docs: [b], hard_neg_docs: [], chat_history: [], questions: ["And its default?"] },
  ];
  const examples = withGoldOfSameQuestion(flattenQuestions(rows));
  expect(examples.map(({ gold_docs }) => gold_docs)).toEqual([[a], [b]]);
  expect(composeBatch(examples, 0, createRandom(0)).queries).toEqual([
    "What is x?\nAnd its default?",
    "And its default?",
  ]);
});
