import { DataError, type Reporter, readAskedQuestions, readQa, streamJsonl, stripCitations } from "@rag-ft/core";
import { flattenQuestions, withGoldOfSameQuestion } from "@rag-ft/retrieval";
import { z } from "zod";
import { distinctQuestions, type TeacherQuestion } from "./teacher.js";

/** Whether a file holds answers, by its first row. */
async function holdsAnswers(path: string): Promise<boolean> {
  for await (const { row } of streamJsonl(path, z.looseObject({}), { what: "questions (*_w_q.jsonl or *_w_qa.jsonl)" }))
    return "gold_answer" in row;
  throw new DataError(`${path}: the file is empty.`);
}

async function read(path: string, reporter: Reporter): Promise<TeacherQuestion[]> {
  if (!(await holdsAnswers(path))) return flattenQuestions(await readAskedQuestions(path));
  const rows = await readQa(path, reporter);
  return rows.map(({ question, gold_docs, hard_neg_docs, chat_history, gold_answer, citations }) => ({
    ...{ question, gold_docs, hard_neg_docs },
    // Numbers of passages would make another text with each passage in the prompt.
    gold_answer: citations === true ? stripCitations(gold_answer) : gold_answer,
    ...(chat_history.length > 0 ? { chat_history } : {}),
  }));
}

/** The questions of all files, each once, with the gold passages of all rows that ask the same. */
export async function readTeacherQuestions(
  paths: readonly string[],
  reporter: Reporter,
): Promise<readonly TeacherQuestion[]> {
  const all: TeacherQuestion[] = [];
  for (const path of paths) all.push(...(await read(path, reporter)));
  return distinctQuestions(withGoldOfSameQuestion(all));
}
