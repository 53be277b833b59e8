import { z } from "zod";
import { documentSchema } from "./document.js";
import { isBlank } from "./is-blank.js";

/** One turn of a dialogue, as in the reference's files. */
export const chatTurnSchema = z.looseObject({
  speaker: z.string(),
  message: z.string(),
  source_documents: z.array(documentSchema).optional(),
});

/** Of rows that were judged elsewhere: how relevant each gold passage is, and what the question is called there. */
const judgedElsewhere = {
  gold_relevance: z.array(z.number().positive()).optional(),
  query_id: z.string().optional(),
};

/** A line of `*_w_q.jsonl`: a gold passage, hard negatives of the same source, and the questions asked of it. */
export const questionsRowSchema = z.looseObject({
  ...judgedElsewhere,
  gold_docs: z.array(documentSchema).min(1),
  hard_neg_docs: z.array(documentSchema),
  chat_history: z.array(chatTurnSchema),
  // The reference's own files hold some empty questions: they are passed over.
  questions: z.array(z.string()).transform((questions) => questions.filter((question) => !isBlank(question))),
});

/** A line of `*_w_qa.jsonl`: one question with its gold passages and answer. */
export const qaRowSchema = z.looseObject({
  ...judgedElsewhere,
  gold_docs: z.array(documentSchema).min(1),
  hard_neg_docs: z.array(documentSchema),
  chat_history: z.array(chatTurnSchema),
  /** May be empty: `readQa` passes over such rows, which the reference's own files hold. */
  question: z.string(),
  gold_answer: z.string().min(1),
});

/** A line of `*_w_a.jsonl`, the compact twin of `*_w_qa.jsonl`. */
export const compactQaRowSchema = z.looseObject({
  question: z.string(),
  answer: z.string(),
  /** `documentId` of each gold passage. */
  gold_doc_ids: z.array(z.string()),
});

/** A line of `test-predictions.jsonl`; `test-output.ts` says what its keys mean. Files of earlier versions lack the optional ones. */
export const predictionSchema = z.looseObject({
  question: z.string(),
  gold_docs: z.array(documentSchema),
  retrieved_docs: z.array(documentSchema),
  gold_answer: z.string(),
  generated_answer: z.string(),
  question_id: z.string().optional(),
  passages: z.enum(["retrieved", "gold", "none"]).optional(),
  figures: z.record(z.string(), z.number()).optional(),
});

export type ChatTurn = z.infer<typeof chatTurnSchema>;
export type QuestionsRow = z.infer<typeof questionsRowSchema>;
export type QaRow = z.infer<typeof qaRowSchema>;
export type CompactQaRow = z.infer<typeof compactQaRowSchema>;

/** Questions of some rows. */
export const questionCount = (rows: readonly QuestionsRow[]): number =>
  rows.reduce((sum, { questions }) => sum + questions.length, 0);
export type Prediction = z.infer<typeof predictionSchema>;
