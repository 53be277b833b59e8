import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { porterStem } from "./porter-stemmer.js";
import { documentRecall, ndcgAtK, recallAtK, reciprocalRank } from "./retrieval-metrics.js";
import { type RougeScores, rougeScore } from "./rouge.js";
import { type SquadScore, squadScore } from "./squad.js";

interface References {
  pairs: { gold: string; predicted: string; rouge: RougeScores; rouge_stemmed: RougeScores; squad: SquadScore }[];
  stems: Record<string, string>;
  rankings: { retrieved: string[]; gold: Record<string, number>; figures: Record<string, number> }[];
}

// Made by scripts/make-references.py with rouge_score, nltk and pytrec_eval.
const references = JSON.parse(
  await readFile(new URL("./fixtures/references.json", import.meta.url), "utf8"),
) as References;

function near(actual: number, expected: number | undefined): void {
  expect(Math.abs(actual - (expected ?? Number.NaN))).toBeLessThan(1e-9);
}

function sameRouge(actual: RougeScores, expected: RougeScores): void {
  for (const name of ["rouge1", "rouge2", "rougeL"] as const) {
    near(actual[name].precision, expected[name].precision);
    near(actual[name].recall, expected[name].recall);
    near(actual[name].fmeasure, expected[name].fmeasure);
  }
}

describe.each(references.pairs)("$gold against $predicted", ({ gold, predicted, rouge, rouge_stemmed, squad }) => {
  test("ROUGE equals rouge_score, with and without stems", () => {
    sameRouge(rougeScore(gold, predicted), rouge);
    sameRouge(rougeScore(gold, predicted, { stem: true }), rouge_stemmed);
  });

  test("F1, exact match, precision and recall equal SQuAD's", () => {
    const score = squadScore(gold, predicted);
    near(score.f1, squad.f1);
    near(score.exact_match, squad.exact_match);
    near(score.precision, squad.precision);
    near(score.recall, squad.recall);
  });
});

test("the pairs tell stems from words", () => {
  expect(references.pairs.some((pair) => pair.rouge.rouge1.fmeasure !== pair.rouge_stemmed.rouge1.fmeasure)).toBe(true);
});

test("stems equal NLTK's default Porter stemmer", () => {
  const stemmed = Object.fromEntries(Object.keys(references.stems).map((word) => [word, porterStem(word)]));
  expect(stemmed).toEqual(references.stems);
});

test.each(references.rankings)("ranking figures equal pytrec_eval's: $retrieved", ({ retrieved, gold, figures }) => {
  const ids = Object.keys(gold);
  const relevance = new Map(Object.entries(gold));
  near(reciprocalRank(retrieved, ids), figures.recip_rank);
  for (const k of [1, 4, 10]) {
    near(recallAtK(retrieved, ids, k), figures[`recall_${k}`]);
    near(ndcgAtK(retrieved, relevance, k), figures[`ndcg_cut_${k}`]);
    expect(documentRecall(retrieved, ids, k)).toBe(figures[`recall_${k}`] === 1 ? 1 : 0);
  }
});
