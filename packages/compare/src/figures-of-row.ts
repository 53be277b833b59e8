import { documentKey } from "@rag-ft/core";
import {
  ANSWER_FIGURES,
  AnsweredQuestion,
  filePrefix,
  measure,
  REFERENCE_DEPTHS,
  RETRIEVAL_FIGURES,
} from "@rag-ft/metrics";
import type { RunRow } from "./run-row.js";

function named(prefix: string, figures: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(figures).map(([name, value]) => [`${prefix}${name}`, value]));
}

/** Near-duplicates are not looked for here. */
function retrievalFigures({ gold_docs, retrieved_docs = [], depth = retrieved_docs.length }: RunRow) {
  if (retrieved_docs.length === 0) return {};
  const question = { retrieved: retrieved_docs.map(documentKey), gold: [...new Set(gold_docs.map(documentKey))] };
  return named(
    filePrefix("retriever"),
    measure(RETRIEVAL_FIGURES, question, { ks: REFERENCE_DEPTHS.ks, searched: depth }),
  );
}

function answerFigures({ gold_answer, generated_answer }: RunRow, unicode: boolean): Record<string, number> {
  if (gold_answer === undefined || generated_answer === undefined) return {};
  const question = new AnsweredQuestion(gold_answer, generated_answer, undefined, { unicode });
  return named(filePrefix("answer"), measure(ANSWER_FIGURES, question));
}

/** Figures of a line that has none, under test-e2e's names. `unicode`: as the gold answers of all lines want it. */
export function figuresOfRow(row: RunRow, unicode: boolean): Record<string, number> {
  return { ...retrievalFigures(row), ...answerFigures(row, unicode) };
}
