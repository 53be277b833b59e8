import { createDocument, type Document, documentId, type QuestionsRow, silentReporter } from "@rag-ft/core";
import { createWordEncoder } from "@rag-ft/test-utils";
import { describe, expect, it } from "vitest";
import { openDenseRetriever } from "../dense-retriever.js";
import type { Retriever } from "../retriever.js";
import { type MineOptions, mineHardNegatives } from "./mine-hard-negatives.js";

// Inner product = number of shared words of this list.
const VOCABULARY = ["cat", "dog", "cow", "hen", "fox", "owl"];
const encoder = createWordEncoder(VOCABULARY);
const signal = new AbortController().signal;

const page = (text: string, source = "s"): Document => createDocument(text, { source });
// The words besides those of the vocabulary keep passages from being copies of each other.
const filler = (n: number): string => Array.from({ length: 12 }, (_, i) => `f${n}x${i}`).join(" ");
const gold = page(`cat dog cow hen ${filler(0)}`);
const copy = page(`cat dog cow hen ${filler(0)} and more`, "other");
const part = page(`dog cow ${filler(0)}`, "other");
const likely = page(`cat dog cow hen ${filler(1)}`, "other");
const three = page(`cat dog cow ${filler(2)}`, "other");
const threeAgain = page(`cat dog cow ${filler(2)}.`, "third");
const two = page(`cat dog ${filler(3)}`, "other");
const one = page(`hen ${filler(4)}`, "other");
const documents = [one, two, threeAgain, three, likely, part, copy, gold];

const row = (...questions: string[]): QuestionsRow => ({
  gold_docs: [gold],
  hard_neg_docs: [one],
  chat_history: [],
  questions,
  prompt_model: "kept",
});

async function mine(rows: QuestionsRow[], options: Partial<MineOptions> = {}, database = documents) {
  const retriever = await openDenseRetriever(database, encoder, { reporter: silentReporter, signal });
  const more = { count: 2, margin: 0.8, pool: 2, seed: 0, reporter: silentReporter, signal };
  return mineHardNegatives(rows, { retriever, ...more, ...options });
}
const texts = ({ rows }: Awaited<ReturnType<typeof mine>>) =>
  rows.map((mined) => mined.hard_neg_docs.map((document) => document.page_content).sort());

describe("mineHardNegatives", () => {
  it("takes the hardest below the margin: never gold, a copy or a part of it, nor two copies of each other", async () => {
    const mined = await mine([row("cat dog cow hen?")]);
    // Scores: gold, copy and likely 4; three 3, below 0.8 · 4 = 3.2; two 2. `three` comes after its copy in the database.
    expect(texts(mined)).toEqual([[threeAgain, two].map((document) => document.page_content).sort()]);
    expect(mined.rows[0]).toMatchObject({ gold_docs: [gold], questions: ["cat dog cow hen?"], prompt_model: "kept" });
    // `part` scores 2, too, but `pool` was full before it.
    expect(mined.counts).toEqual({ near_duplicates: 1, above_margin: 1, short: 0, negatives: 2 });
  });

  it("keeps out what scores too high for any question of the row", async () => {
    // For "cat dog" gold scores 2, and so do `three` and `two`: both are likely answers to it.
    const mined = await mine([row("cat dog cow hen?", "cat dog?")]);
    expect(texts(mined)).toEqual([[one.page_content]]);
    expect(mined.counts.short).toBe(1);
    expect(texts(await mine([row("cat dog cow hen?")], { margin: 0.74 }))).toEqual([
      [one, two].map((document) => document.page_content).sort(),
    ]);
  });

  it("scores a gold passage that the database does not hold", async () => {
    const mined = await mine([row("cat dog cow hen?")], {}, documents.slice(0, -1));
    expect(texts(mined)).toEqual([[threeAgain, two].map((document) => document.page_content).sort()]);
  });

  it("draws by the seed and the passage alone", async () => {
    const many = Array.from({ length: 40 }, (_, i) => page(`cat dog ${filler(100 + i)}`, `s${i}`));
    const all = [...many, gold];
    const other: QuestionsRow = { ...row("cat dog cow?"), gold_docs: [page(`cat dog cow ${filler(9)}`)] };
    const options = { pool: 20, count: 3 };
    const ids = (mined: Awaited<ReturnType<typeof mine>>) => mined.rows.map((r) => r.hard_neg_docs.map(documentId));
    const first = ids(await mine([row("cat dog cow hen?"), other], options, all));
    expect(first.map((list) => list.length)).toEqual([3, 3]);
    expect(ids(await mine([other, row("cat dog cow hen?")], options, all)).reverse()).toEqual(first);
    expect(ids(await mine([row("cat dog cow hen?"), other], { ...options, seed: 1 }, all))).not.toEqual(first);
    expect(first[0]).not.toEqual(first[1]);
  });
});

it("another search says how hard a passage is, the vectors what scores too high", async () => {
  const retriever = await openDenseRetriever(documents, encoder, { reporter: silentReporter, signal });
  // Words alone: the fewest of the vocabulary first, and not all passages.
  const order = [one, two, likely, three, gold];
  const ranking: Retriever = {
    documents,
    retrieve: async (questions) =>
      questions.map(() => ({
        documents: order,
        ids: order.map((document) => documents.indexOf(document)),
        scores: order.map((_, place) => -place),
      })),
  };
  const options = { retriever, ranking, margin: 0.8, seed: 0, reporter: silentReporter, signal };
  const { rows, counts } = await mineHardNegatives([row("cat dog cow hen?")], { ...options, count: 2, pool: 2 });
  expect(rows[0]?.hard_neg_docs.map(documentId).sort()).toEqual([one, two].map(documentId).sort());
  const all = await mineHardNegatives([row("cat dog cow hen?")], { ...options, count: 9, pool: 9 });
  // `likely` scores 4 as gold does, wherever it was ranked.
  expect(all.rows[0]?.hard_neg_docs.map(documentId).sort()).toEqual([one, two, three].map(documentId).sort());
  expect(all.counts.above_margin).toBe(1);
  expect(counts.negatives).toBe(2);
});
