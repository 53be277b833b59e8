import { UserError } from "@rag-ft/core";
import type { Run, RunQuestion } from "./read-run.js";

/** Both runs' lines of one question. */
export interface QuestionPair {
  a: RunQuestion;
  b: RunQuestion;
}

function quoted(questions: readonly RunQuestion[]): string {
  const [first] = questions;
  if (first === undefined) return "none";
  const text = first.row.question.replace(/\s+/g, " ").trim();
  return `${questions.length}, the first ${JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text)}`;
}

/**
 * The questions of both runs, in the order of the first.
 *
 * @throws UserError unless both runs answered the same questions: a difference of means over different ones says nothing of the runs.
 */
export function pairRuns(a: Run, b: Run): QuestionPair[] {
  const ofB = new Map(b.questions.map((question) => [question.key, question]));
  const ofA = new Set(a.questions.map(({ key }) => key));
  const onlyA = a.questions.filter(({ key }) => !ofB.has(key));
  const onlyB = b.questions.filter(({ key }) => !ofA.has(key));
  if (onlyA.length > 0 || onlyB.length > 0) {
    throw new UserError(
      [
        "The two runs are not over the same questions (text, dialogue and gold passages).",
        `  ${a.path}: ${a.questions.length} questions; only here: ${quoted(onlyA)}`,
        `  ${b.path}: ${b.questions.length} questions; only here: ${quoted(onlyB)}`,
        "Compare runs that were given the same file of questions and the same max_test_samples.",
      ].join("\n"),
    );
  }
  return a.questions.map((question) => ({ a: question, b: ofB.get(question.key) as RunQuestion }));
}
