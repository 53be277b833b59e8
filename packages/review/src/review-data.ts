import { type Prediction, questionId } from "@rag-ft/core";
import { type PassageData, PassageTable } from "@rag-ft/page";
import { type LabelFile, type LabelRow, labelKey } from "./labels.js";

/** One answer to label. */
export interface ReviewItem {
  question_id: string;
  question: string;
  history: { speaker: string; message: string }[];
  gold_answer: string;
  generated_answer: string;
  /** Positions in `passages`. */
  gold: number[];
  retrieved: number[];
  label?: LabelRow["label"];
  note?: string;
}

/** What the page is made of. */
export interface ReviewData {
  labeller: string;
  /** Path of the file of labels, to be shown. */
  file: string;
  passages: PassageData[];
  items: ReviewItem[];
}

/** The id of a prediction's question; files of earlier versions have none written down. */
export function idOf(prediction: Prediction): string {
  return prediction.question_id ?? questionId(prediction as Parameters<typeof questionId>[0]);
}

/** What a labeller needs to see: never the judge's verdict, which would lead them. */
export function reviewData(
  predictions: readonly Prediction[],
  { labels }: Pick<LabelFile, "labels">,
  about: Pick<ReviewData, "labeller" | "file">,
): ReviewData {
  const table = new PassageTable();
  const items = predictions.map((prediction): ReviewItem => {
    const { question, chat_history, gold_docs, retrieved_docs, gold_answer, generated_answer } = prediction;
    const question_id = idOf(prediction);
    const row = labels.get(labelKey({ question_id, generated_answer }));
    return {
      question_id,
      question,
      history: (chat_history ?? []) as ReviewItem["history"],
      gold_answer,
      generated_answer,
      gold: gold_docs.map((passage) => table.place(passage)),
      retrieved: retrieved_docs.map((passage) => table.place(passage)),
      ...(row ? { label: row.label, note: row.note } : {}),
    };
  });
  return { ...about, passages: table.passages, items };
}
