import type { IdentifiedQuestion } from "@rag-ft/core";
import { type AnswerLabel, AnswerLabels, answerLabelSchema, questionId, readJsonl } from "@rag-ft/core";
import { cohensKappa } from "@rag-ft/metrics";
import type { Judgement } from "./judge-answers.js";

/** People's labels, by what was labelled. */
export interface Labels {
  path: string;
  count: number;
  /** The label of an answer; undefined when nobody has labelled it. */
  of(question: IdentifiedQuestion, answer: string): AnswerLabel["label"] | undefined;
}

/** Reads a file of labels. Of several reviewers most count; an answer on which they are split has none. */
export async function readLabels(path: string): Promise<Labels> {
  const rows = await readJsonl(path, answerLabelSchema, {
    what: "labels of answers (question_id, label: correct, incorrect or retrieval_fault), as rag-ft review writes them",
  });
  const labels = new AnswerLabels(rows);
  return {
    path,
    count: labels.size,
    of: (question, answer) => labels.of(questionId(question), answer)?.label,
  };
}

/** How far the judge and people agree on the same answers. */
export interface JudgeAgreement {
  /** Answers with a parsed verdict and a label. */
  labels: number;
  /** Cohen's kappa of correct against not correct; absent when chance alone makes them agree always. */
  kappa?: number;
  kappa_ci95?: [number, number];
  /** Share of answers on which they agree. */
  observed: number;
  /** Answers by the judge's verdict and the person's label. */
  table: Record<"correct" | "incorrect", Record<"correct" | "not_correct", number>>;
}

/** An answer with a retrieval fault is not correct, whoever is to blame. undefined when no answer has both verdict and label. */
export function judgeAgreement(
  pairs: readonly { judgement: Judgement; label: AnswerLabel["label"] | undefined }[],
  seed: number,
): JudgeAgreement | undefined {
  const both = pairs.flatMap(({ judgement: { verdict }, label }) =>
    label !== undefined && (verdict === "correct" || verdict === "incorrect")
      ? [{ judge: verdict === "correct", person: label === "correct" }]
      : [],
  );
  if (both.length === 0) return undefined;
  const { kappa, observed, low, high } = cohensKappa(
    both.map(({ judge }) => judge),
    both.map(({ person }) => person),
    { seed },
  );
  const count = (judge: boolean, person: boolean): number =>
    both.filter((pair) => pair.judge === judge && pair.person === person).length;
  return {
    labels: both.length,
    ...(Number.isFinite(kappa) ? { kappa } : {}),
    ...(Number.isFinite(low) && Number.isFinite(kappa) ? { kappa_ci95: [low, high] } : {}),
    observed,
    table: {
      correct: { correct: count(true, true), not_correct: count(true, false) },
      incorrect: { correct: count(false, true), not_correct: count(false, false) },
    },
  };
}
