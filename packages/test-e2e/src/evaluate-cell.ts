import { type Answer, type AnswerRequest, answerQuestions, type Generator } from "@rag-ft/answer";
import { type Document, distinctDocuments, type Prediction, type QaRow, sourceOf } from "@rag-ft/core";
import { withoutThinking } from "@rag-ft/llm";
import { ANSWER_FIGURES, AnsweredQuestion, measure, wantsUnicodeFigures } from "@rag-ft/metrics";
import type { RetrievalEvaluation } from "@rag-ft/retrieval";
import type { CellContext } from "./cell-context.js";
import type { Cell } from "./cells.js";
import { type JudgeAgreement, judgeAgreement } from "./judge-agreement.js";
import { type Judgement, judgeAnswers } from "./judge-answers.js";
import { predictionOf, type QuestionParts, questionFigures } from "./question-parts.js";
import { evaluateRefusals } from "./refusals.js";
import { generationCounts, remarks } from "./remarks.js";
import { prefixed, type Score, scoreOf } from "./score.js";
import { verdictCounts } from "./verdict-counts.js";

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

/** What a retriever found, and with no_answer_eval deeper than prompts go. */
type CellRetrieval = RetrievalEvaluation & { deeper?: Document[][] };

/** Answers all questions from one kind of passages, scores the answers, and has them judged when wanted. */
export async function evaluateCell(
  cell: Cell,
  generator: Generator,
  retrieval: CellRetrieval | undefined,
  context: CellContext,
): Promise<CellResult> {
  const { settings, rows, judge, labels, store, tally, reporter, signal } = context;
  const passages = promptPassages(cell, context, retrieval);
  const work = { store, tally, reporter, signal, concurrency: settings.max_concurrency };
  const judging = {
    ...work,
    timeout_ms: settings.request_timeout * 1000,
    seed: settings.seed,
    repeats: settings.judge_repeats,
    structured: settings.structured_outputs === "auto" && judge?.provider === "openai",
  };
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
      judging,
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
  const refusals =
    retrieval?.deeper &&
    (await evaluateRefusals(
      parts.map((part, i) => ({ ...part, request: requests[i] as AnswerRequest })),
      retrieval.deeper,
      generator,
      context,
      judging,
    ));
  for (const [i, refusal] of refusals?.results.entries() ?? []) (parts[i] as QuestionParts).refusal = refusal;
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
    ...(refusals ? prefixed("test_gen", refusals.counts) : {}),
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
    remarks: [...remarks(score, rows.length, failures), ...(judged?.problems ?? []), ...(refusals?.remarks ?? [])],
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
