import { readFile } from "node:fs/promises";
import { porterStem } from "@rag-ft/text";
import { describe, expect, test } from "vitest";
import { corpusBleu, sentenceBleu } from "./bleu.js";
import {
  averagePrecision,
  documentRecall,
  ndcgAtK,
  rankByScore,
  recallAtK,
  reciprocalRank,
} from "./retrieval-metrics.js";
import { type RougeScores, rougeScore } from "./rouge.js";
import { type SquadScore, squadScore } from "./squad.js";
import { cohensKappa } from "./uncertainty/cohens-kappa.js";
import { permutationTest, signTest } from "./uncertainty/paired-tests.js";
import { wilsonInterval } from "./uncertainty/wilson-interval.js";

interface References {
  pairs: { gold: string; predicted: string; rouge: RougeScores; rouge_stemmed: RougeScores; squad: SquadScore }[];
  stems: Record<string, string>;
  rankings: { scores: Record<string, number>; gold: Record<string, number>; figures: Record<string, number> }[];
  bleu: { sentences: { references: string[]; candidate: string; bleu: number }[]; corpus: number };
  uncertainty: {
    wilson: { successes: number; n: number; low: number; high: number }[];
    sign: { wins: number; losses: number; p_value: number }[];
    permutation: { differences: number[]; p_value: number }[];
    kappa: { a: string[]; b: string[]; kappa: number }[];
  };
}

// Made by scripts/make-references.py with rouge_score, nltk, pytrec_eval, sacrebleu, scipy and scikit-learn.
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

test.each(references.rankings)("ranking figures equal pytrec_eval's: $scores", ({ scores, gold, figures }) => {
  const retrieved = rankByScore(new Map(Object.entries(scores)));
  const relevance = new Map(Object.entries(gold));
  const ids = Object.keys(gold).filter((id) => (gold[id] ?? 0) > 0);
  near(reciprocalRank(retrieved, ids), figures.recip_rank);
  near(averagePrecision(retrieved, ids), figures.map);
  for (const k of [1, 4, 10]) near(averagePrecision(retrieved, ids, k), figures[`map_cut_${k}`]);
  for (const k of [1, 2, 4, 10]) {
    near(recallAtK(retrieved, ids, k), figures[`recall_${k}`]);
    near(ndcgAtK(retrieved, relevance, k), figures[`ndcg_cut_${k}`]);
    expect(documentRecall(retrieved, ids, k)).toBe(figures[`recall_${k}`] === 1 ? 1 : 0);
  }
});

test("the rankings hold ties and several gold passages", () => {
  const tied = references.rankings.filter(({ scores }) => {
    const values = Object.values(scores);
    return new Set(values).size < values.length;
  });
  expect(tied.length).toBeGreaterThan(10);
  expect(references.rankings.some(({ gold }) => Object.values(gold).filter((value) => value > 0).length > 2)).toBe(
    true,
  );
});

test.each(references.bleu.sentences)(
  "BLEU equals sacrebleu's: $candidate",
  ({ references: golds, candidate, bleu }) => {
    near(sentenceBleu(golds, candidate), bleu);
  },
);

test("BLEU of a corpus equals sacrebleu's", () => {
  const texts = references.pairs.map(({ gold, predicted }) => ({ references: [gold], candidate: predicted }));
  near(corpusBleu(texts), references.bleu.corpus);
  expect(references.bleu.corpus).toBeGreaterThan(0.1);
});

test.each(references.uncertainty.wilson)("Wilson's interval equals scipy's: $successes of $n", (expected) => {
  const { low, high } = wilsonInterval(expected.successes, expected.n);
  near(low, expected.low);
  near(high, expected.high);
});

test.each(references.uncertainty.sign)("the exact sign test equals scipy's: $wins, $losses", (expected) => {
  near(signTest(expected.wins, expected.losses), expected.p_value);
});

test.each(references.uncertainty.permutation)("the permutation test equals scipy's: $differences", (expected) => {
  near(permutationTest(expected.differences), expected.p_value);
});

test.each(references.uncertainty.kappa)("kappa equals scikit-learn's: $kappa", ({ a, b, kappa }) => {
  near(cohensKappa(a, b, { resamples: 50 }).kappa, kappa);
});
