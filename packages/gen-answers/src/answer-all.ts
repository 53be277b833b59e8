import { documentId, hashText, type QaRow, type StageContext } from "@rag-ft/core";
import { runPool } from "@rag-ft/llm";
import type { Answerer } from "./answerer.js";
import type { OpenQuestion } from "./flatten-questions.js";

/** For each question, how many equal ones (same text, same passages) stand before it. */
export function occurrences(questions: readonly OpenQuestion[]): number[] {
  const seen = new Map<string, number>();
  return questions.map(({ question, gold_docs }) => {
    const key = hashText(JSON.stringify([question, gold_docs.map(documentId)]));
    const before = seen.get(key) ?? 0;
    seen.set(key, before + 1);
    return before;
  });
}

/** Answers all questions, several at once; the answered ones come back in order. */
export async function answerAll(
  questions: readonly OpenQuestion[],
  answerer: Answerer,
  { reporter, signal }: Pick<StageContext, "reporter" | "signal">,
  label: string,
): Promise<QaRow[]> {
  const nth = occurrences(questions);
  const progress = reporter.start(label, questions.length);
  try {
    const rows = await runPool(
      questions,
      async (open, index): Promise<QaRow | undefined> => {
        const answer = await answerer.answer(open, nth[index] ?? 0);
        if (answer === undefined) return undefined;
        const { gold_docs, hard_neg_docs, chat_history, question, ...more } = open;
        return {
          gold_docs,
          hard_neg_docs,
          chat_history,
          question,
          gold_answer: answer,
          ...more,
          ...answerer.provenance,
        };
      },
      { concurrency: answerer.concurrency, onDone: (done) => progress.update(done), signal },
    );
    return rows.filter((row) => row !== undefined);
  } finally {
    progress.stop();
  }
}
