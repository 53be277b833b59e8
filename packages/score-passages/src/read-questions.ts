import {
  DataError,
  type PlanContext,
  plannedRows,
  type QaRow,
  type QuestionsRow,
  type Reporter,
  readAskedQuestions,
  readQa,
  streamJsonl,
  stripCitations,
} from "@rag-ft/core";
import { flattenQuestions, withGoldOfSameQuestion } from "@rag-ft/retrieval";
import { z } from "zod";
import { distinctQuestions, type TeacherQuestion } from "./teacher.js";

/** Whether a file holds answers, by its first row. */
async function holdsAnswers(path: string): Promise<boolean> {
  for await (const { row } of streamJsonl(path, z.looseObject({}), { what: "questions (*_w_q.jsonl or *_w_qa.jsonl)" }))
    return "gold_answer" in row;
  throw new DataError(`${path}: the file is empty.`);
}

function questionsOf(row: QuestionsRow | QaRow): TeacherQuestion[] {
  if ("questions" in row) return flattenQuestions([row as QuestionsRow]);
  const { question, gold_docs, hard_neg_docs, chat_history, gold_answer, citations } = row as QaRow;
  return [
    {
      ...{ question, gold_docs, hard_neg_docs },
      // Numbers of passages would make another text with each passage in the prompt.
      gold_answer: citations === true ? stripCitations(gold_answer) : gold_answer,
      ...(chat_history.length > 0 ? { chat_history } : {}),
    },
  ];
}

/** The questions of all files, each once, with the gold passages of all rows that ask the same; of a dry run, those of files that would be written, too. */
export async function readTeacherQuestions(
  paths: readonly string[],
  reporter: Reporter,
  { planned }: Pick<PlanContext, "planned"> = { planned: new Map() },
): Promise<readonly TeacherQuestion[]> {
  const all: TeacherQuestion[] = [];
  for (const path of paths) {
    const rows = await plannedRows<QuestionsRow | QaRow>({ planned }, path, async (file) =>
      (await holdsAnswers(file)) ? readQa(file, reporter) : readAskedQuestions(file),
    );
    all.push(...rows.flatMap(questionsOf));
  }
  return distinctQuestions(withGoldOfSameQuestion(all));
}
