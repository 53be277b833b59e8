import type { Document, QuestionsRow, StageContext } from "@rag-ft/core";
import { runPool } from "@rag-ft/llm";
import type { PassageRow } from "./choose-passages.js";
import type { Questioner } from "./questioner.js";

export interface CollectOptions {
  label: string;
  /** Passages with questions wanted. */
  needed: number;
  occurrence: number;
  /** What is kept of a passage's questions. */
  keep?: (passage: Document, questions: string[]) => string[];
}

/** Passages asked about in vain are `asked` minus the rows. */
export interface Collected {
  rows: QuestionsRow[];
  asked: number;
}

/** Asks passage after passage, in the order given, until `needed` have questions; the outcome of a sequential loop. */
export async function collectQuestions(
  passages: readonly PassageRow[],
  questioner: Questioner,
  { reporter, signal }: Pick<StageContext, "reporter" | "signal">,
  { label, needed, occurrence, keep = (_, questions) => questions }: CollectOptions,
): Promise<Collected> {
  const progress = reporter.start(label, Math.min(needed, passages.length));
  try {
    const results = await runPool(
      passages,
      async (row): Promise<QuestionsRow | undefined> => {
        const gold = row.gold_docs[0];
        if (!gold) return undefined;
        const questions = keep(gold, await questioner.ask(gold, occurrence));
        return questions.length > 0 ? { ...row, questions, ...questioner.provenance } : undefined;
      },
      {
        concurrency: questioner.concurrency,
        needed,
        accept: (row) => row !== undefined,
        onDone: (asked, accepted) => progress.update(accepted, `${asked} asked`),
        signal,
      },
    );
    return { rows: results.filter((row) => row !== undefined), asked: results.length };
  } finally {
    progress.stop();
  }
}
