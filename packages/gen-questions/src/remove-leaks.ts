import { documentId, type QuestionsRow } from "@rag-ft/core";
import { questionLikeness } from "@rag-ft/text";

/** A training question this close to a held-out one of the same passage would give the test away. */
const MAX_LIKENESS = 0.5;

/** Held-out questions by passage. */
export type HeldOutQuestions = ReadonlyMap<string, readonly string[]>;

export function heldOutQuestions(rows: readonly QuestionsRow[]): HeldOutQuestions {
  const byPassage = new Map<string, string[]>();
  for (const row of rows) {
    for (const gold of row.gold_docs) {
      const id = documentId(gold);
      byPassage.set(id, [...(byPassage.get(id) ?? []), ...row.questions]);
    }
  }
  return byPassage;
}

/** The questions that are far enough from every held-out question of the passage (their likeness below 0.5). */
export function withoutLeaks(questions: readonly string[], heldOut: readonly string[]): string[] {
  return questions.filter((question) => heldOut.every((other) => questionLikeness(other, question) < MAX_LIKENESS));
}
