import type { Answer } from "@rag-ft/answer";
import { type Prediction, type QaRow, questionId, questionKindOf, splitProcedureOf } from "@rag-ft/core";
import { COST_FIGURES, JUDGE_FIGURES, measure } from "@rag-ft/metrics";
import type { RetrievalEvaluation } from "@rag-ft/retrieval";
import type { Cell } from "./cells.js";
import type { Grounding } from "./grounding.js";
import type { Judgement } from "./judge-answers.js";
import { retrievalScores } from "./prediction-scores.js";
import type { RefusalResult } from "./refusals.js";
import { prefixed } from "./score.js";

/** All that is known of a question and its answer. */
export interface QuestionParts {
  row: QaRow;
  answer: Answer;
  /** Figures of the answer by their short names. */
  score: Record<string, number>;
  retrieval?: { found: RetrievalEvaluation["retrieved"][number]; score: RetrievalEvaluation["scores"][number] };
  judgement?: Judgement;
  refusal?: RefusalResult;
  grounding?: Grounding | undefined;
}

/** A question's figures by their names in files. */
export function questionFigures({
  answer,
  score,
  retrieval,
  judgement,
  refusal,
  grounding,
}: QuestionParts): Record<string, number> {
  return {
    ...(retrieval ? prefixed("test_retr", retrieval.score.figures) : {}),
    ...prefixed("test_gen", score),
    ...(grounding ? prefixed("test_gen", grounding.figures) : {}),
    ...(refusal ? prefixed("test_gen", refusal.figures) : {}),
    ...prefixed("test_gen", measure(COST_FIGURES, answer)),
    ...(judgement ? prefixed("test_gen", measure(JUDGE_FIGURES, judgement)) : {}),
  };
}

const PROMPT_HELD = { none: "none", gold: "gold", base: "retrieved", tuned: "retrieved" } as const;

/** A line of test-predictions.jsonl. */
export function predictionOf(parts: QuestionParts, figures: Record<string, number>, cell: Cell): Prediction {
  const { row, answer, score, retrieval, judgement, refusal, grounding } = parts;
  const { text, ...how } = answer;
  const kind = questionKindOf(row);
  return {
    question_id: questionId(row),
    question: row.question,
    gold_docs: row.gold_docs,
    split_by: splitProcedureOf([row]),
    ...(kind === undefined ? {} : { question_kind: kind }),
    retrieved_docs: retrieval?.found.documents ?? [],
    gold_answer: row.gold_answer,
    generated_answer: text,
    chat_history: row.chat_history,
    passages: PROMPT_HELD[cell.passages],
    retrieval_scores: retrieval?.found.scores ?? [],
    ...how,
    scores: { ...score, ...(retrieval ? retrievalScores(retrieval.score) : {}) },
    figures,
    ...(judgement ? { judge: judgement } : {}),
    ...grounding?.keys,
    ...refusal?.keys,
  };
}
