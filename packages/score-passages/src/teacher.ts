import { type Document, retrievalQuery } from "@rag-ft/core";
import type { RetrievalExample, Teacher } from "@rag-ft/retrieval";

/** A question whose passages are scored. */
export interface TeacherQuestion extends RetrievalExample {
  /** Of files of answers. */
  gold_answer?: string | undefined;
}

/** A model that scores passages of a question. */
export interface OpenedTeacher {
  teacher: Teacher;
  /** What it reads of a question: the same question with the same passages is not scored again. */
  reads(question: TeacherQuestion): unknown;
  /** One score a passage, the greater the better. */
  score(question: TeacherQuestion, passages: readonly Document[], signal: AbortSignal): Promise<number[]>;
  close(): Promise<void>;
}

/** Distinct questions, as they are searched by; each with the first answer, and the hard negatives, of all rows that ask it. */
export function distinctQuestions(questions: readonly TeacherQuestion[]): TeacherQuestion[] {
  const found = new Map<string, TeacherQuestion>();
  for (const question of questions) {
    const known = found.get(retrievalQuery(question));
    if (known === undefined) found.set(retrievalQuery(question), question);
    else
      found.set(retrievalQuery(question), {
        ...known,
        gold_answer: known.gold_answer ?? question.gold_answer,
        hard_neg_docs: [...known.hard_neg_docs, ...question.hard_neg_docs],
      });
  }
  return [...found.values()];
}
