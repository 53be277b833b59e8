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

/**
 * The places of questions in the order in which they are asked: those of the same passages one after the other, groups as they first come. A prompt
 * has instruction, examples and passages before the question, so that a server that keeps the prefixes of prompts (vLLM, SGLang, OpenAI) reads the
 * passages once.
 */
export function askingOrder(questions: readonly Pick<OpenQuestion, "gold_docs">[]): number[] {
  const groups = new Map<string, number[]>();
  questions.forEach(({ gold_docs }, place) => {
    const key = gold_docs.map(documentId).join(" ");
    const group = groups.get(key);
    if (group) group.push(place);
    else groups.set(key, [place]);
  });
  return [...groups.values()].flat();
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
    const rows: (QaRow | undefined)[] = new Array(questions.length);
    await runPool(
      askingOrder(questions),
      async (index): Promise<void> => {
        const open = questions[index] as OpenQuestion;
        const answer = await answerer.answer(open, nth[index] ?? 0);
        if (answer === undefined) return;
        const { gold_docs, hard_neg_docs, chat_history, question, ...more } = open;
        rows[index] = {
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
