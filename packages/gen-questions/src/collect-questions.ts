import type { QuestionsRow, StageContext } from "@rag-ft/core";
import { runPool } from "@rag-ft/llm";
import type { RowToAsk } from "./plan-kinds.js";
import type { Questioner } from "./questioner.js";

export interface CollectOptions {
  label: string;
  /** Passages with questions wanted. */
  needed: number;
  occurrence: number;
  /** What is kept of a passage's questions; may not depend on other passages, which are asked about at the same time. */
  keep?: (row: RowToAsk, questions: string[]) => string[] | Promise<string[]>;
  /** What is kept in view of all rows before, called in their order. */
  keepAfter?: (questions: string[]) => string[];
}

/** Passages asked about in vain are `asked` minus the rows. */
export interface Collected {
  rows: QuestionsRow[];
  asked: number;
}

/** Asks passage after passage, in the order given, until `needed` have questions; the outcome of a sequential loop. */
export async function collectQuestions(
  passages: readonly RowToAsk[],
  questioner: Questioner,
  { reporter, signal }: Pick<StageContext, "reporter" | "signal">,
  {
    label,
    needed,
    occurrence,
    keep = (_, questions) => questions,
    keepAfter = (questions) => questions,
  }: CollectOptions,
): Promise<Collected> {
  const progress = reporter.start(label, Math.min(needed, passages.length));
  const rows: QuestionsRow[] = [];
  let asked = 0;
  const askSome = (): Promise<(QuestionsRow | undefined)[]> =>
    runPool(
      passages.slice(asked),
      async (row): Promise<QuestionsRow | undefined> => {
        const { questions: asked, chat_history = row.chat_history } = await questioner.ask(row, occurrence);
        const inDialogue = { ...row, chat_history };
        const questions = await keep(inDialogue, asked);
        return questions.length > 0 ? { ...inDialogue, questions, ...questioner.provenance } : undefined;
      },
      {
        concurrency: questioner.concurrency,
        needed: needed - rows.length,
        accept: (row) => row !== undefined,
        onDone: (done, accepted) => progress.update(rows.length + accepted, `${asked + done} asked`),
        signal,
      },
    );
  try {
    // What a look at earlier rows drops is made up for by the passages that follow.
    while (rows.length < needed && asked < passages.length) {
      const results = await askSome();
      asked += results.length;
      for (const row of results) {
        const questions = row ? keepAfter(row.questions) : [];
        if (row && questions.length > 0) rows.push({ ...row, questions });
      }
    }
    return { rows, asked };
  } finally {
    progress.stop();
  }
}
