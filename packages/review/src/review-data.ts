import { type AnswerLabels, type GivenLabels, LABEL_KINDS, type LabelKind } from "@rag-ft/core";
import { type PassageData, PassageTable } from "@rag-ft/page";
import { ownLabel } from "./labels.js";
import type { ReviewedAnswer } from "./reviewed-answers.js";

/** One answer to label, with what this reviewer has said of it. */
export interface ReviewItem {
  question_id: string;
  question: string;
  history: { speaker: string; message: string }[];
  /** Undefined of a turn: nobody knows it. */
  gold_answer?: string;
  generated_answer: string;
  /** Positions in `passages`. */
  gold: number[];
  retrieved: number[];
  given: GivenLabels;
  note?: string;
}

/** What the page is made of. */
export interface ReviewData {
  /** Who labels; undefined: the page asks. */
  labeller?: string;
  /** The name to begin with when the page asks. */
  suggested: string;
  /** Path of the file of labels, to be shown. */
  file: string;
  /** What is asked of each answer. */
  asked: readonly LabelKind[];
  passages: PassageData[];
  items: ReviewItem[];
}

/** What a labeller needs to see: never the judge's verdict, a user's vote or another's label, which would lead them. */
export function reviewData(
  answers: readonly ReviewedAnswer[],
  labels: AnswerLabels,
  about: Pick<ReviewData, "labeller" | "suggested" | "file" | "asked">,
): ReviewData {
  const { labeller } = about;
  if (labeller === undefined) return { ...about, passages: [], items: [] };
  const table = new PassageTable();
  const items = answers.map((answer): ReviewItem => {
    const { question_id, question, history, generated_answer, retrieved, gold } = answer;
    const row = ownLabel(labels, answer, labeller);
    return {
      question_id,
      question,
      history,
      ...(gold ? { gold_answer: gold.answer } : {}),
      generated_answer,
      gold: (gold?.passages ?? []).map((passage) => table.place(passage)),
      retrieved: retrieved.map((passage) => table.place(passage)),
      given: Object.fromEntries(LABEL_KINDS.flatMap((kind) => (row?.[kind] ? [[kind, row[kind]]] : []))),
      ...(row?.note ? { note: row.note } : {}),
    };
  });
  return { ...about, passages: table.passages, items };
}
