import { type Answer, type AnswerRequest, answerQuestions, type Generator } from "@rag-ft/answer";
import {
  type Document,
  distinctDocuments,
  type Prediction,
  type QaRow,
  questionKindOf,
  sourceOf,
  stripCitations,
} from "@rag-ft/core";
import { withoutThinking } from "@rag-ft/llm";
import {
  ANSWER_FIGURES,
  AnsweredQuestion,
  figuresByKind,
  type KindFigures,
  measure,
  wantsUnicodeFigures,
} from "@rag-ft/metrics";
import type { RetrievalEvaluation } from "@rag-ft/retrieval";
import type { AskJudgeOptions } from "./ask-judge.js";
import type { CellContext } from "./cell-context.js";
import type { Cell } from "./cells.js";
import { type FaithfulnessJudgement, groundAnswers } from "./grounding.js";
import { type JudgeAgreement, judgeAgreement } from "./judge-agreement.js";
import { type JudgedAnswers, type Judgement, judgeAnswers } from "./judge-answers.js";
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
  /** Where questions are of several kinds. */
  kinds: KindFigures[];
  judgements?: Judgement[];
  /** What the judge says of how far answers keep to their passages, of those that it was asked about. */
  faithfulness?: FaithfulnessJudgement[];
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

/** What an answer says, without the numbers of a generator that cites. */
const plainAnswer = ({ citations }: CellContext, { text }: Answer): string => (citations ? stripCitations(text) : text);

/** The gold answer as it is compared with: without thoughts and citations. */
function plainGold(row: QaRow): string {
  const { text } = withoutThinking(row.gold_answer);
  return row.citations === true ? stripCitations(text) : text;
}

/** The judge's verdicts on all answers, where they are wanted. */
async function judgedAnswers(
  requests: readonly AnswerRequest[],
  answers: readonly Answer[],
  context: CellContext,
  judging: AskJudgeOptions,
): Promise<JudgedAnswers | undefined> {
  const { judge, rows, settings } = context;
  if (!judge || !settings.gen_gpt4eval) return undefined;
  const cases = requests.map(({ question, history, passages }, i) => ({
    question,
    history,
    answer: plainAnswer(context, answers[i] as Answer),
    gold: (rows[i] as QaRow).gold_docs,
    retrieved: passages,
  }));
  return judgeAnswers(judge, cases, judging);
}

/** What is known of each question from its answer, its passages and the judge. */
function partsOf(
  requests: readonly AnswerRequest[],
  answers: readonly Answer[],
  retrieval: CellRetrieval | undefined,
  judged: JudgedAnswers | undefined,
  context: CellContext,
): QuestionParts[] {
  const unicode = wantsUnicodeFigures(context.rows.map((row) => row.gold_answer));
  return context.rows.map((row, i): QuestionParts => {
    const answer = answers[i] as Answer;
    const found = retrieval?.retrieved[i];
    const score = retrieval?.scores[i];
    const texts = requests[i]?.passages.map((passage) => passage.page_content) ?? [];
    const compared = new AnsweredQuestion(plainGold(row), plainAnswer(context, answer), texts, { unicode });
    return {
      row,
      answer,
      score: measure(ANSWER_FIGURES, compared),
      ...(found && score ? { retrieval: { found, score } } : {}),
      ...(judged ? { judgement: judged.judgements[i] } : {}),
    };
  });
}

/** How far the judge and people agree, where people labelled these answers. */
function agreementOf(
  judged: JudgedAnswers | undefined,
  answers: readonly Answer[],
  { labels, rows, settings }: CellContext,
): JudgeAgreement | undefined {
  if (!judged || !labels) return undefined;
  const pairs = judged.judgements.map((judgement, i) => ({
    judgement,
    label: labels.of(rows[i] as QaRow, answers[i]?.text ?? ""),
  }));
  return judgeAgreement(pairs, settings.seed);
}

/** Answers all questions from one kind of passages, scores the answers, and has them judged when wanted. */
export async function evaluateCell(
  cell: Cell,
  generator: Generator,
  retrieval: CellRetrieval | undefined,
  context: CellContext,
): Promise<CellResult> {
  const { settings, rows, judge, store, tally, reporter, signal } = context;
  const passages = promptPassages(cell, context, retrieval);
  const work = { store, tally, reporter, signal, concurrency: settings.max_concurrency };
  const judging: AskJudgeOptions = {
    ...work,
    timeout_ms: settings.request_timeout * 1000,
    seed: settings.seed,
    repeats: settings.judge_repeats,
    structured: settings.structured_outputs === "auto" && judge?.provider === "openai",
  };
  const requests = rows.map(
    ({ question, chat_history: history }, i): AnswerRequest => ({ question, history, passages: passages[i] ?? [] }),
  );
  const { answers, reused, failures } = await answerQuestions(generator, requests, work);
  if (reused > 0) {
    const before = settings.compare_base ? "an earlier run or combination" : "an earlier run";
    reporter.info(`${reused} of ${rows.length} answers were taken from ${before}.`);
  }
  const judged = await judgedAnswers(requests, answers, context, judging);
  const parts = partsOf(requests, answers, retrieval, judged, context);
  const asked = parts.map((part, i) => ({ ...part, request: requests[i] as AnswerRequest }));
  const deeper = retrieval?.deeper;
  const refusals = deeper && (await evaluateRefusals(asked, deeper, generator, context, judging));
  const refused = answers.map(({ text }, i) => refusals?.results[i]?.keys.refused ?? context.refuses(text));
  const toGround = parts.map((part, i) => ({ ...part, passages: passages[i] ?? [], refused: refused[i] ?? false }));
  const { groundings, problems } = await groundAnswers(toGround, context, judging);
  const whole = parts.map((part, i): QuestionParts => {
    const refusal = refusals?.results[i];
    return { ...part, ...(refusal ? { refusal } : {}), grounding: groundings[i] };
  });
  const figures = whole.map(questionFigures);
  const agreement = agreementOf(judged, answers, context);
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
    predictions: whole.map((part, i) => predictionOf(part, figures[i] ?? {}, cell)),
    figures,
    score,
    kinds: figuresByKind(
      figures.map((own, i) => {
        const row = rows[i] as QaRow;
        return { kind: questionKindOf(row), figures: own, source: sourceOf(row) };
      }),
      { seed: settings.seed },
    ),
    ...(judged ? { judgements: judged.judgements } : {}),
    ...(settings.judge_faithfulness ? { faithfulness: groundings.flatMap(({ keys }) => keys.faithfulness ?? []) } : {}),
    ...(agreement ? { agreement } : {}),
    remarks: [
      ...remarks(score, rows.length, failures),
      ...(judged?.problems ?? []),
      ...(refusals?.remarks ?? []),
      ...problems,
    ],
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
