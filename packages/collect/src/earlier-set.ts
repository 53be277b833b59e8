import { join } from "node:path";
import {
  documentKey,
  pathKind,
  type QaRow,
  type QuestionsRow,
  qaRowSchema,
  questionsRowSchema,
  readJsonl,
  SPLITS,
  UserError,
} from "@rag-ft/core";
import { QuestionSet } from "@rag-ft/text";

type Split = (typeof SPLITS)[number];

/** The rows of a data set, by split, as they are. */
export interface EarlierSet {
  questions: Partial<Record<Split, QuestionsRow[]>>;
  answers: Partial<Record<Split, QaRow[]>>;
  /** The split that a passage is gold in; of several the one that is held out. */
  splitOf: ReadonlyMap<string, Split>;
  /** All its questions, to ask whether one is there already. */
  asked: QuestionSet;
}

async function rowsOf<T>(
  path: string,
  schema: Parameters<typeof readJsonl<T>>[1],
  what: string,
): Promise<T[] | undefined> {
  if ((await pathKind(path)) !== "file") return undefined;
  return readJsonl(path, schema, { what, allowEmpty: true });
}

/** Reads a data set that new rows are added to; an empty one where none is named. */
export async function readEarlierSet(folder: string | undefined): Promise<EarlierSet> {
  const set: EarlierSet & { splitOf: Map<string, Split> } = {
    questions: {},
    answers: {},
    splitOf: new Map(),
    asked: new QuestionSet(),
  };
  if (folder === undefined) return set;
  for (const split of SPLITS) {
    const questions = await rowsOf(join(folder, `${split}_w_q.jsonl`), questionsRowSchema, "questions (*_w_q.jsonl)");
    const answers = await rowsOf(
      join(folder, `${split}_w_qa.jsonl`),
      qaRowSchema,
      "questions with answers (*_w_qa.jsonl)",
    );
    if (questions) set.questions[split] = questions;
    if (answers) set.answers[split] = answers;
    for (const row of [...(questions ?? []), ...(answers ?? [])]) {
      // Later splits are held out from earlier ones.
      for (const gold of row.gold_docs) set.splitOf.set(documentKey(gold), split);
    }
    for (const { questions: asked } of questions ?? []) for (const question of asked) set.asked.add(question);
    for (const { question } of answers ?? []) set.asked.add(question);
  }
  if (Object.keys(set.questions).length + Object.keys(set.answers).length === 0) {
    throw new UserError(
      `${folder}: holds no data set. Expected train_w_q.jsonl or train_w_qa.jsonl, and their eval and test.`,
    );
  }
  return set;
}
