import { createRandom, type QaRow, type QuestionsRow } from "@rag-ft/core";
import type { GenAnswersSettings } from "./settings.js";

/** One question with its passages, still without an answer. */
export type OpenQuestion = Pick<QaRow, "gold_docs" | "hard_neg_docs" | "chat_history" | "question"> & {
  /** Whatever else the row says, such as where its question comes from. */
  [key: string]: unknown;
};

/** One line a question, in the file's order or shuffled, then the stretch that was asked for. */
export function flattenQuestions(
  rows: readonly QuestionsRow[],
  settings: Pick<GenAnswersSettings, "shuffle_data" | "start_data_idx" | "end_data_idx" | "seed">,
): OpenQuestion[] {
  const flat = rows.flatMap(({ questions, ...row }) =>
    questions.map((question): OpenQuestion => {
      const { gold_docs, hard_neg_docs, chat_history, ...more } = row;
      return { gold_docs, hard_neg_docs, chat_history, question, ...more };
    }),
  );
  const ordered = settings.shuffle_data ? createRandom(settings.seed).shuffle(flat) : flat;
  return ordered.slice(settings.start_data_idx, settings.end_data_idx);
}
