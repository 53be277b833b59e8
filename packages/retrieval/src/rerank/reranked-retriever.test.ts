import { createDocument, silentReporter, UserError } from "@rag-ft/core";
import { describe, expect, it } from "vitest";
import type { Retrieved, Retriever } from "../retriever.js";
import { checkReranking } from "./rerank-settings.js";
import { chooseRerankWeight, type MeasuredRerankWeight, measureRerankWeights } from "./rerank-weight.js";
import { reranked } from "./reranked.js";
import { rerankedRetriever } from "./reranked-retriever.js";

const documents = ["a", "b", "c", "d", "e", "f"].map((text) => ({
  ...createDocument(text, { source: text }),
  fmt_content: text,
}));
/** Finds all passages in their order, with the scores 6, 5, … 1. */
const found: Retrieved = { documents, ids: documents.map((_, id) => id), scores: documents.map((_, id) => 6 - id) };
const searched: { k: number; offset: number | undefined }[] = [];
const first: Retriever = {
  documents,
  async retrieve(questions, k, { offset = 0 } = {}) {
    searched.push({ k, offset });
    const page = <T>(values: readonly T[]): T[] => values.slice(offset, offset + k);
    return questions.map(() => ({ documents: page(documents), ids: page(found.ids), scores: page(found.scores) }));
  },
};
/** The later in the alphabet the better, but for a question of "a", which nothing answers but a. */
const logitOf = (question: string, passage: string): number =>
  question === "a" ? (passage === "a" ? 9 : -9) : passage.charCodeAt(0);
const read: string[] = [];
const scorer = {
  logits: async (pairs: readonly (readonly [string, string])[]) => {
    read.push(...pairs.map((pair) => pair.join()));
    return Float32Array.from(pairs, ([question, passage]) => logitOf(question, passage));
  },
};
const idsOf = (all: readonly Retrieved[]): number[][] => all.map(({ ids }) => ids);

describe("reranked", () => {
  it("weight 1 is the reranker's order, 0 the search's, between them the sum of standardised scores; equal ones as searched", () => {
    const logits = [1, 2, 3];
    expect(reranked(found, logits, 1).ids).toEqual([2, 1, 0, 3, 4, 5]);
    expect(reranked(found, logits, 0)).toEqual(found);
    // Opposite orders of equal distances: all sums are 0.
    expect(reranked(found, logits, 0.5).ids).toEqual([0, 1, 2, 3, 4, 5]);
    expect(reranked(found, logits, 0.51).ids).toEqual([2, 1, 0, 3, 4, 5]);
    // By hand: search (1.2247, 0, -1.2247), reranker (0, 0, 0), as all its scores are equal.
    expect(reranked(found, [7, 7, 7], 0.5).scores.slice(0, 3)).toEqual(
      [1, 0, -1].map((z) => expect.closeTo(z * 0.61237, 4)),
    );
  });

  it("what is behind the first keeps its order and distances, below them", () => {
    const { scores, documents: ranked } = reranked(found, [0, 5, 0], 1);
    expect(ranked.map(({ page_content }) => page_content).join("")).toBe("bacdef");
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    expect(scores.slice(2).map((score) => (scores[2] as number) - score)).toEqual(
      [0, 1, 2, 3].map((x) => expect.closeTo(x, 9)),
    );
  });

  it("takes nothing, and fewer than there are logits of", () => {
    expect(reranked({ documents: [], ids: [], scores: [] }, [], 0.5).ids).toEqual([]);
    expect(reranked(found, [], 0.5)).toEqual(found);
  });
});

describe("rerankedRetriever", () => {
  it("reads the first passages of each question alone, and returns pages of one order", async () => {
    read.length = 0;
    const retriever = rerankedRetriever(first, scorer, { topN: 3, weight: 1 });
    expect(idsOf(await retriever.retrieve(["z", "a"], 4))).toEqual([
      [2, 1, 0, 3],
      [0, 1, 2, 3],
    ]);
    expect(read).toEqual(["z,a", "z,b", "z,c", "a,a", "a,b", "a,c"]);
    const whole = idsOf(await retriever.retrieve(["z"], 6));
    const pages = [];
    for (const offset of [0, 2, 4]) pages.push(...idsOf(await retriever.retrieve(["z"], 2, { offset })).flat());
    expect([pages]).toEqual(whole);
    expect(retriever.cost.questions).toBe(6);
    expect(retriever.cost.milliseconds).toBeGreaterThan(0);
  });

  it("one passage is wanted, and still the best of the first few is found", async () => {
    searched.length = 0;
    const retriever = rerankedRetriever(first, scorer, { topN: 5, weight: 1 });
    expect(idsOf(await retriever.retrieve(["z"], 1))).toEqual([[4]]);
    expect(searched).toEqual([{ k: 5, offset: 0 }]);
    expect(await retriever.retrieve([], 1)).toEqual([]);
  });

  it("stops when asked to", async () => {
    const retriever = rerankedRetriever(first, scorer, { topN: 5, weight: 1 });
    const stopped = retriever.retrieve(["z"], 1, { reporter: silentReporter, signal: AbortSignal.abort() });
    await expect(stopped).rejects.toThrow(/stopped/i);
  });
});

describe("the weight", () => {
  /** 24 questions whose gold passage is one in the middle; the reranker finds it for `of` of them, and else reverses the order. */
  const measured = (of: number): MeasuredRerankWeight[] => {
    const questions = Array.from({ length: 24 }, () => ({ gold_docs: [documents[2] as (typeof documents)[number]] }));
    const logits = questions.map((_, i) => (i < of ? [0, 0, 9, 0, 0, 0] : [9, 8, 0, 7, 6, 5]));
    const all = { found: questions.map(() => found), logits };
    return measureRerankWeights(questions, all, [0, 0.25, 0.5, 0.75, 1], { ks: [1, 4], searched: 6 });
  };
  const choose = (of: number, unless: "better" | "significant" = "significant") =>
    chooseRerankWeight(measured(of), "mrr", { unless });

  it("is measured from one reading", () => {
    const [alone, , , , reader] = measured(24);
    expect(alone?.figures).toMatchObject({ "mrr@6": expect.closeTo(1 / 3, 9), "document_recall/recall1": 0 });
    expect(reader?.figures).toMatchObject({ "mrr@6": 1, "document_recall/recall1": 1 });
    expect(reader?.rows).toHaveLength(24);
  });

  it("is 0 unless reranking beats the search beyond chance", () => {
    expect(choose(24).chosen.rerank_weight).toBeGreaterThanOrEqual(0.5);
    expect(choose(24).over_first_stage?.low).toBeGreaterThan(0);
    const hurting = choose(0);
    expect(hurting.chosen.rerank_weight).toBe(0);
    expect(hurting.over_first_stage?.gain).toBeLessThan(0);
    // A few more right than wrong may be chance.
    const chance = choose(8);
    expect(chance.over_first_stage?.gain).toBeGreaterThan(0);
    expect(chance.over_first_stage?.low).toBeLessThan(0);
    expect(chance.chosen.rerank_weight).toBe(0);
    expect(choose(8, "better").chosen.rerank_weight).toBeGreaterThan(0);
  });

  it("is 0 where the search alone was measured", () => {
    expect(chooseRerankWeight(measured(24).slice(0, 1), "mrr", { unless: "better" })).toEqual({
      chosen: measured(24)[0],
    });
  });
});

it("settings of a reranker want one", () => {
  expect(() => checkReranking({ rerank_weight: 0.5 })).toThrow(UserError);
  expect(() => checkReranking({ rerank_top_n: 5 })).toThrow(
    /rerank_top_n is for a reranker, and none is named\. Give --reranker/,
  );
  checkReranking({ reranker: "x", rerank_top_n: 5, rerank_weight: 0 });
});
