import { type Answer, answerQuestions, type Generator } from "@rag-ft/answer";
import {
  type Document,
  distinctDocuments,
  type Prediction,
  type QaRow,
  questionId,
  type Reporter,
  sourceOf,
  splitProcedureOf,
} from "@rag-ft/core";
import { type CompletionStore, type LanguageModel, type RequestTally, withoutThinking } from "@rag-ft/llm";
import {
  ANSWER_FIGURES,
  AnsweredQuestion,
  COST_FIGURES,
  JUDGE_FIGURES,
  measure,
  wantsUnicodeFigures,
} from "@rag-ft/metrics";
import type { RetrievalEvaluation } from "@rag-ft/retrieval";
import type { Cell } from "./cells.js";
import { type JudgeAgreement, judgeAgreement, type Labels } from "./judge-agreement.js";
import { type Judgement, judgeAnswers } from "./judge-answers.js";
import { retrievalScores } from "./prediction-scores.js";
import { generationCounts, remarks } from "./remarks.js";
import { prefixed, type Score, scoreOf } from "./score.js";
import type { TestE2eSettings } from "./settings.js";
import { verdictCounts } from "./verdict-counts.js";

/** What all combinations share. */
export interface CellContext {
  settings: TestE2eSettings;
  rows: readonly QaRow[];
  judge?: LanguageModel;
  labels?: Labels;
  store: CompletionStore;
  tally: RequestTally;
  reporter: Reporter;
  signal: AbortSignal;
}

export interface CellResult {
  cell: Cell;
  predictions: Prediction[];
  /** Each question's figures, in the order of the rows. */
  figures: Record<string, number>[];
  score: Score;
  judgements?: Judgement[];
  agreement?: JudgeAgreement;
  /** What the figures do not show. */
  remarks: string[];
}

/** What each question's prompt holds. */
function promptPassages(
  { passages }: Cell,
  { rows, settings }: CellContext,
  retrieval: RetrievalEvaluation | undefined,
): Document[][] {
  return rows.map((row, i) => {
    if (passages === "none") return [];
    // A gold passage that is listed twice is shown once.
    if (passages === "gold") return distinctDocuments(row.gold_docs);
    return retrieval?.retrieved[i]?.documents.slice(0, settings.embedding_max_num_to_retrieve) ?? [];
  });
}

interface QuestionParts {
  row: QaRow;
  answer: Answer;
  /** Figures of the answer by their short names. */
  score: Record<string, number>;
  retrieval?: { found: RetrievalEvaluation["retrieved"][number]; score: RetrievalEvaluation["scores"][number] };
  judgement?: Judgement;
}

function questionFigures({ answer, score, retrieval, judgement }: QuestionParts): Record<string, number> {
  return {
    ...(retrieval ? prefixed("test_retr", retrieval.score.figures) : {}),
    ...prefixed("test_gen", score),
    ...prefixed("test_gen", measure(COST_FIGURES, answer)),
    ...(judgement ? prefixed("test_gen", measure(JUDGE_FIGURES, judgement)) : {}),
  };
}

const PROMPT_HELD = { none: "none", gold: "gold", base: "retrieved", tuned: "retrieved" } as const;

function predictionOf(parts: QuestionParts, figures: Record<string, number>, cell: Cell): Prediction {
  const { row, answer, score, retrieval, judgement } = parts;
  const { text, ...how } = answer;
  return {
    question_id: questionId(row),
    question: row.question,
    gold_docs: row.gold_docs,
    split_by: splitProcedureOf([row]),
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
  };
}

/** Answers all questions from one kind of passages, scores the answers, and has them judged when wanted. */
export async function evaluateCell(
  cell: Cell,
  generator: Generator,
  retrieval: RetrievalEvaluation | undefined,
  context: CellContext,
): Promise<CellResult> {
  const { settings, rows, judge, labels, store, tally, reporter, signal } = context;
  const passages = promptPassages(cell, context, retrieval);
  const work = { store, tally, reporter, signal, concurrency: settings.max_concurrency };
  const requests = rows.map((row, i) => ({
    question: row.question,
    history: row.chat_history,
    passages: passages[i] ?? [],
  }));
  const { answers, reused, failures } = await answerQuestions(generator, requests, work);
  if (reused > 0) {
    const before = settings.compare_base ? "an earlier run or combination" : "an earlier run";
    reporter.info(`${reused} of ${rows.length} answers were taken from ${before}.`);
  }
  const judged =
    judge &&
    (await judgeAnswers(
      judge,
      rows.map((row, i) => ({
        question: row.question,
        history: row.chat_history,
        answer: answers[i]?.text ?? "",
        gold: row.gold_docs,
        retrieved: passages[i] ?? [],
      })),
      {
        ...work,
        timeout_ms: settings.request_timeout * 1000,
        seed: settings.seed,
        repeats: settings.judge_repeats,
        structured: settings.structured_outputs === "auto" && judge.provider === "openai",
      },
    ));

  const unicode = wantsUnicodeFigures(rows.map((row) => row.gold_answer));
  const parts = rows.map((row, i): QuestionParts => {
    const answer = answers[i] as Answer;
    const found = retrieval?.retrieved[i];
    const score = retrieval?.scores[i];
    const texts = (passages[i] ?? []).map((passage) => passage.page_content);
    return {
      row,
      answer,
      score: measure(
        ANSWER_FIGURES,
        new AnsweredQuestion(withoutThinking(row.gold_answer).text, answer.text, texts, { unicode }),
      ),
      ...(found && score ? { retrieval: { found, score } } : {}),
      ...(judged ? { judgement: judged.judgements[i] } : {}),
    };
  });
  const figures = parts.map(questionFigures);
  const agreement =
    judged &&
    labels &&
    judgeAgreement(
      judged.judgements.map((judgement, i) => ({
        judgement,
        label: labels.of(rows[i] as QaRow, answers[i]?.text ?? ""),
      })),
      settings.seed,
    );
  const score = {
    ...scoreOf(figures, {}, settings.seed, rows.map(sourceOf)),
    ...(retrieval ? { "test_retr/gold_not_in_database": retrieval.unanswerable } : {}),
    ...prefixed("test_gen", generationCounts(answers)),
    ...(judged ? prefixed("test_gen", verdictCounts(judged.judgements)) : {}),
    ...(agreement ? agreementFigures(agreement) : {}),
    num_questions: rows.length,
  };
  return {
    cell,
    predictions: parts.map((part, i) => predictionOf(part, figures[i] ?? {}, cell)),
    figures,
    score,
    ...(judged ? { judgements: judged.judgements } : {}),
    ...(agreement ? { agreement } : {}),
    remarks: [...remarks(score, rows.length, failures), ...(judged?.problems ?? [])],
  };
}

function agreementFigures({ kappa, kappa_ci95, labels, observed }: JudgeAgreement): Score {
  return {
    ...(kappa === undefined ? {} : { "test_gen/gpt4_kappa": kappa }),
    ...(kappa_ci95 === undefined ? {} : { "test_gen/gpt4_kappa_ci95": kappa_ci95 }),
    "test_gen/gpt4_agreement": observed,
    "test_gen/gpt4_labels": labels,
  };
}
