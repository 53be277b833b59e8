import { LABEL_TITLES } from "@rag-ft/core";
import { type PassageData, PassageTable } from "@rag-ft/page";
import type { Answered, System } from "./read/system.js";

/** What one system made of a question. */
export interface AnswerData {
  answer: string;
  /** Retrieved passages, best first, as positions in `passages`. */
  retrieved: number[];
  /** Their similarities to the question. */
  similarities: number[];
  /** Whether every gold passage was retrieved; null where the prompt held others than retrieved ones, or none. */
  found: boolean | null;
  /** Over words of all scripts, as the next, where the test's answers are not in Latin letters. */
  rougeL?: number;
  f1?: number;
  verdict?: string;
  /** What most people said of the answer, of each kind. */
  label?: string;
  helpfulness?: string;
  harmlessness?: string;
  /** Kinds on which people are split. */
  split?: string[];
  /** The judge's explanation. */
  reply?: string;
  error?: string;
  /** Why the answer ended: `length` when it was cut. */
  finish?: string;
}

export interface QuestionData {
  question: string;
  history: { speaker: string; message: string }[];
  answer: string;
  gold: number[];
  /** One a system, in the order of `systems`; null when it was not asked this question. */
  by: (AnswerData | null)[];
}

/** What the page's table of predictions is made of. */
export interface PredictionData {
  systems: string[];
  /** Positions in `systems`. */
  base: number | null;
  tuned: number;
  passages: PassageData[];
  questions: QuestionData[];
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function answerData({ prediction, goldRanks, scores, judge, people }: Answered, table: PassageTable): AnswerData {
  const { generated_answer, retrieved_docs, retrieval_scores, error, finish_reason } = prediction;
  return {
    answer: generated_answer,
    retrieved: retrieved_docs.map((passage) => table.place(passage)),
    similarities: Array.isArray(retrieval_scores) ? retrieval_scores.filter((score) => typeof score === "number") : [],
    found: goldRanks ? goldRanks.every((rank) => rank !== null) : null,
    rougeL: scores.rougeL_unicode ?? scores.rougeL,
    f1: scores.f1_unicode ?? scores.f1,
    verdict: judge?.verdict,
    label: people?.label,
    helpfulness: people?.helpfulness,
    harmlessness: people?.harmlessness,
    ...(people && people.split.length > 0 ? { split: people.split.map((kind) => LABEL_TITLES[kind]) } : {}),
    reply: text(judge?.reply),
    error: text(error),
    finish: text(finish_reason),
  };
}

function historyOf(value: unknown): QuestionData["history"] {
  if (!Array.isArray(value)) return [];
  return value.map(({ speaker, message }) => ({ speaker: String(speaker), message: String(message) }));
}

/** Every question of every system once, in the order of the test file, with what each system made of it. */
export function predictionData(systems: readonly System[], base: System | undefined, tuned: System): PredictionData {
  const table = new PassageTable();
  const questions = new Map<string, QuestionData>();
  for (const [i, { answers }] of systems.entries()) {
    for (const answered of answers) {
      const { question, gold_answer, gold_docs, chat_history } = answered.prediction;
      const row = questions.get(answered.key) ?? {
        question,
        history: historyOf(chat_history),
        answer: gold_answer,
        gold: gold_docs.map((passage) => table.place(passage)),
        by: systems.map(() => null),
      };
      row.by[i] = answerData(answered, table);
      questions.set(answered.key, row);
    }
  }
  return {
    systems: systems.map(({ label }) => label),
    base: base ? systems.indexOf(base) : null,
    tuned: systems.indexOf(tuned),
    passages: table.passages,
    questions: [...questions.values()],
  };
}
