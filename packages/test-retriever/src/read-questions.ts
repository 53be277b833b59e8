import {
  type QaRow,
  type QuestionsRow,
  questionKindOf,
  type Reporter,
  readAskedQuestions,
  readLines,
  readQa,
  requireFile,
  splitProcedureOf,
} from "@rag-ft/core";
import type { RetrievalQuestion } from "@rag-ft/retrieval";

/** A test question with the dialogue that it is asked in. */
export type TestQuestion = RetrievalQuestion &
  Pick<QaRow, "chat_history"> & {
    /** As `splitProcedureOf` tells of its row. */
    split_by: string;
    /** As its row says, if it does. */
    question_kind?: string | undefined;
    /** What other programs call it. */
    query_id?: string | undefined;
  };

function eachQuestion(row: QuestionsRow): TestQuestion[] {
  const { questions, gold_docs, chat_history, gold_relevance, query_id } = row;
  const said = { split_by: splitProcedureOf([row]), question_kind: questionKindOf(row), gold_relevance };
  // One id is of one question.
  const named = questions.length === 1 ? { query_id } : {};
  return questions.map((question) => ({ question, gold_docs, chat_history, ...said, ...named }));
}

/** The first line that is not blank; a file may be larger than a string can be. */
async function firstLine(path: string): Promise<string> {
  for await (const line of readLines(path)) if (line.trim() !== "") return line;
  return "";
}

/** Whether the first line is one of answers: its key `gold_answer` tells the two kinds of file apart. */
async function holdsAnswers(path: string): Promise<boolean> {
  const first = await firstLine(path);
  try {
    return "gold_answer" in (JSON.parse(first.replace(/^\uFEFF/, "")) as object);
  } catch {
    // Not JSON: the reader of the other kind says so, with the line.
    return false;
  }
}

/** Reads `*_w_q.jsonl` (one question after the other, those of a passage together) or `*_w_qa.jsonl`. */
export async function readTestQuestions(path: string, reporter: Pick<Reporter, "warn">): Promise<TestQuestion[]> {
  await requireFile(path, "questions with their gold passages (*_w_q.jsonl or *_w_qa.jsonl)");
  if (await holdsAnswers(path))
    return (await readQa(path, reporter)).map((row) => ({
      ...row,
      split_by: splitProcedureOf([row]),
      question_kind: questionKindOf(row),
    }));
  return (await readAskedQuestions(path)).flatMap(eachQuestion);
}
