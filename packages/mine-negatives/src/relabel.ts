import type { Reporter } from "@rag-ft/core";
import { type Document, documentId, documentKey, type QuestionsRow } from "@rag-ft/core";
import { runPool } from "@rag-ft/llm";

/** What a judge says of a passage: it answers the question, it may and is safe for neither, it does not. */
export type Relevance = "positive" | "unsure" | "negative";

/** Says which questions of a row a passage answers. */
export interface RelevanceJudge {
  /** For the audit. */
  name: string;
  concurrency: number;
  /** One a question, in order; `unsure` where there is no verdict. */
  judge(row: QuestionsRow, passage: Document): Promise<Relevance[]>;
}

/** A negative that is none any more; a line of relabeled.jsonl. */
export interface Relabeled {
  file: string;
  passage: string;
  source: string;
  gold: string[];
  /** Questions that it answers; empty where the judge is not sure. */
  answers: string[];
  by: string;
}

export interface RelabelCounts {
  /** Passages that were looked at. */
  judged: number;
  /** Of these, no negatives. */
  false_negatives: number;
  /** Rows added for what answers a question; in files of training alone. */
  new_positives: number;
  /** Rows whose negatives changed. */
  rows_changed: number;
  /** Rows with fewer negatives than wanted, as all others that were found are none. */
  short: number;
}

export interface RelabelOptions {
  file: string;
  /** Negatives wanted a row. */
  count: number;
  /** Whether what answers a question becomes a row of its own. */
  addsPositives: boolean;
  reporter: Reporter;
  signal: AbortSignal;
}

interface Looked {
  row: QuestionsRow;
  removed: { passage: Document; answers: string[] }[];
  judged: number;
}

/** Looks at a row's candidates in their order until it has as many negatives as wanted, so that no more is asked than is needed. */
async function lookAt(row: QuestionsRow, judge: RelevanceJudge, count: number): Promise<Looked> {
  const kept: Document[] = [];
  const removed: Looked["removed"] = [];
  for (const passage of row.hard_neg_docs) {
    if (kept.length === count) break;
    const verdicts = await judge.judge(row, passage);
    if (verdicts.every((verdict) => verdict === "negative")) kept.push(passage);
    else removed.push({ passage, answers: row.questions.filter((_, i) => verdicts[i] === "positive") });
  }
  return { row: { ...row, hard_neg_docs: kept }, removed, judged: kept.length + removed.length };
}

/** Rows that ask a row's questions of the passages that answer them, too: rows that ask the same are positives of each other (`--positives all`). */
function positiveRows({ row, removed }: Looked, by: string): QuestionsRow[] {
  return removed.flatMap(({ passage, answers }) =>
    answers.length === 0
      ? []
      : [
          {
            ...row,
            gold_docs: [passage],
            questions: answers,
            relabeled: { by, instead_of: row.gold_docs.map(documentId) },
          },
        ],
  );
}

/**
 * Rows of which every negative was looked at by a judge; `hard_neg_docs` holds the candidates in the order in which they are to be taken, more than wanted, so that
 * others take the place of those that go.
 */
export async function relabelNegatives(
  rows: readonly QuestionsRow[],
  judge: RelevanceJudge,
  { file, count, addsPositives, reporter, signal }: RelabelOptions,
): Promise<{ rows: QuestionsRow[]; counts: RelabelCounts; audit: Relabeled[] }> {
  const progress = reporter.start(`looking at negatives again (${judge.name})`, rows.length);
  let looked: Looked[];
  try {
    looked = await runPool(rows, (row) => lookAt(row, judge, count), {
      concurrency: judge.concurrency,
      signal,
      onDone: (done) => progress.update(done),
    });
  } finally {
    progress.stop();
  }
  const added = addsPositives ? looked.flatMap((one) => positiveRows(one, judge.name)) : [];
  // What answers one question of a passage may be the gold passage of another row that asks the same.
  const known = new Set(
    rows.flatMap((row) =>
      row.questions.flatMap((question) => row.gold_docs.map((gold) => `${question}\u0000${documentKey(gold)}`)),
    ),
  );
  const fresh = added.flatMap((row) => {
    const questions = row.questions.filter(
      (question) => !known.has(`${question}\u0000${documentKey(row.gold_docs[0] as Document)}`),
    );
    return questions.length > 0 ? [{ ...row, questions }] : [];
  });
  const audit = looked.flatMap(({ row, removed }) =>
    removed.map(
      ({ passage, answers }): Relabeled => ({
        file,
        passage: documentId(passage),
        source: passage.metadata.source,
        gold: row.gold_docs.map(documentId),
        answers,
        by: judge.name,
      }),
    ),
  );
  return {
    rows: [...looked.map(({ row }) => row), ...fresh],
    counts: {
      judged: looked.reduce((sum, { judged }) => sum + judged, 0),
      false_negatives: audit.length,
      new_positives: fresh.length,
      rows_changed: looked.filter(({ removed }) => removed.length > 0).length,
      short: looked.filter(({ row }) => row.hard_neg_docs.length < count).length,
    },
    audit,
  };
}
