import type { Document } from "@rag-ft/core";
import { rougeScore, squadScore } from "@rag-ft/metrics";
import { wordCount } from "@rag-ft/text";

/** Figures of one answer, each in [0, 1] but the length. `…_passage` takes the best retrieved passage as the reference. */
export interface AnswerScore {
  rouge1: number;
  rouge2: number;
  rougeL: number;
  f1: number;
  precision: number;
  recall: number;
  exact_match: number;
  rouge1_passage: number;
  rouge2_passage: number;
  rougeL_passage: number;
  f1_passage: number;
  precision_passage: number;
  /** In words. */
  answer_length: number;
}

/** The best of some figures; 0 when there is none. */
function best(values: readonly number[]): number {
  return Math.max(0, ...values);
}

/** ROUGE figures are f-measures without stemming. */
export function scoreAnswer(gold: string, answer: string, passages: readonly Document[]): AnswerScore {
  const rouge = rougeScore(gold, answer);
  const squad = squadScore(gold, answer);
  const texts = passages.map((passage) => passage.page_content);
  const passageRouge = texts.map((text) => rougeScore(text, answer));
  const passageSquad = texts.map((text) => squadScore(text, answer));
  return {
    rouge1: rouge.rouge1.fmeasure,
    rouge2: rouge.rouge2.fmeasure,
    rougeL: rouge.rougeL.fmeasure,
    f1: squad.f1,
    precision: squad.precision,
    recall: squad.recall,
    exact_match: squad.exact_match,
    rouge1_passage: best(passageRouge.map((score) => score.rouge1.fmeasure)),
    rouge2_passage: best(passageRouge.map((score) => score.rouge2.fmeasure)),
    rougeL_passage: best(passageRouge.map((score) => score.rougeL.fmeasure)),
    f1_passage: best(passageSquad.map((score) => score.f1)),
    precision_passage: best(passageSquad.map((score) => score.precision)),
    answer_length: wordCount(answer),
  };
}
