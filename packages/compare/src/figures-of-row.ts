import { documentKey } from "@rag-ft/core";
import { documentRecall, recallAtK, reciprocalRank, rougeScore, squadScore } from "@rag-ft/metrics";
import type { RunRow } from "./run-row.js";

/** Depths of the reference's recall. */
const DEPTHS = [1, 4];

function retrievalFigures({ gold_docs, retrieved_docs }: RunRow): Record<string, number> {
  if (retrieved_docs === undefined || retrieved_docs.length === 0) return {};
  const retrieved = retrieved_docs.map(documentKey);
  const gold = gold_docs.map(documentKey);
  return Object.fromEntries([
    ...DEPTHS.map((k) => [`test_retr/document_recall/recall${k}`, documentRecall(retrieved, gold, k)]),
    ...DEPTHS.map((k) => [`test_retr/fraction_recall/recall${k}`, recallAtK(retrieved, gold, k)]),
    ["test_retr/mrr", reciprocalRank(retrieved, gold)],
  ]);
}

function answerFigures({ gold_answer, generated_answer }: RunRow): Record<string, number> {
  if (gold_answer === undefined || generated_answer === undefined) return {};
  const rouge = rougeScore(gold_answer, generated_answer);
  const { f1, exact_match, precision, recall } = squadScore(gold_answer, generated_answer);
  return {
    "test_gen/rouge1": rouge.rouge1.fmeasure,
    "test_gen/rouge2": rouge.rouge2.fmeasure,
    "test_gen/rougeL": rouge.rougeL.fmeasure,
    "test_gen/f1": f1,
    "test_gen/precision": precision,
    "test_gen/recall": recall,
    "test_gen/exact_match": exact_match,
  };
}

/** Figures of a line that has none, under test-e2e's names. */
export function figuresOfRow(row: RunRow): Record<string, number> {
  return { ...retrievalFigures(row), ...answerFigures(row) };
}
