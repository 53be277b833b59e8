import type { z } from "zod";
import { createDocument, type Document, documentSchema } from "./document.js";
import { DataError } from "./errors.js";
import { isBlank } from "./is-blank.js";
import { readJsonl, readNumberedJsonl, requireFile } from "./jsonl.js";
import { readPickleDocuments } from "./pickle/read-documents.js";
import type { Reporter } from "./progress.js";
import { type QaRow, type QuestionsRow, qaRowSchema, questionsRowSchema } from "./qa.js";

/** `fmt_content` may be absent in hand-made files; it is then derived. */
const documentLineSchema = documentSchema
  .partial({ fmt_content: true })
  .transform(
    (row): Document =>
      row.fmt_content ? { ...row, fmt_content: row.fmt_content } : createDocument(row.page_content, row.metadata),
  );

function keysOf(row: unknown): string[] {
  return typeof row === "object" && row !== null ? Object.keys(row) : [];
}

type RowKind = "passage" | "questions" | "answers";

/** Names the kind of file that a foreign row belongs to, so that a mix-up is explained. */
function explainRow(wanted: RowKind): (row: unknown) => string | undefined {
  return (row) => {
    const keys = keysOf(row);
    if (wanted !== "answers" && keys.includes("gold_answer"))
      return "This looks like a file of answers (*_w_qa.jsonl).";
    if (wanted !== "questions" && keys.includes("questions")) {
      return "This looks like a file of questions (*_w_q.jsonl): run gen-answers on it first.";
    }
    if (wanted !== "passage" && keys.includes("page_content")) {
      return "This looks like a document database (documents.jsonl).";
    }
    return keys.includes("text") ? "This looks like raw documents: run prepare-docs on it first." : undefined;
  };
}

/** Reads a document database: `documents.jsonl`, or the reference's `.pkl` (without running code). */
export async function readDocuments(path: string): Promise<Document[]> {
  if (/\.(pkl|pickle)$/i.test(path)) {
    await requireFile(path, "a document database (.pkl)");
    const documents = await readPickleDocuments(path);
    if (documents.length === 0) throw new DataError(`${path}: the database holds no passage.`);
    return documents;
  }
  return readJsonl(path, documentLineSchema as unknown as z.ZodType<Document>, {
    what: "a passage of a document database (page_content, fmt_content, metadata)",
    explain: explainRow("passage"),
  });
}

/** Reads `*_w_q.jsonl`. */
export async function readQuestions(path: string): Promise<QuestionsRow[]> {
  return readJsonl(path, questionsRowSchema, {
    what: "questions (*_w_q.jsonl: gold_docs, hard_neg_docs, chat_history, questions)",
    explain: explainRow("questions"),
  });
}

/**
 * Reads `*_w_q.jsonl` for its questions.
 *
 * @throws DataError also when no row has a question.
 */
export async function readAskedQuestions(path: string): Promise<QuestionsRow[]> {
  const rows = await readQuestions(path);
  if (rows.every(({ questions }) => questions.length === 0)) {
    throw new DataError(
      `${path}: none of its ${rows.length} rows has a question (\`questions\` is empty in all). Run gen-questions, or name another file.`,
    );
  }
  return rows;
}

/** A question with its answer, and its line in the file it was read from. */
export interface NumberedQaRow extends QaRow {
  line: number;
}

/**
 * Reads `*_w_qa.jsonl`. The reference's own files hold some rows without a question: they are passed over, with a warning that counts them.
 * So are rows whose gold answer is white space, which teach and measure nothing.
 *
 * @throws DataError for a row that is malformed, or when no row has a question.
 */
export async function readQa(path: string, { warn }: Pick<Reporter, "warn">): Promise<NumberedQaRow[]> {
  const all = await readNumberedJsonl(path, qaRowSchema, {
    what: "questions with answers (*_w_qa.jsonl: gold_docs, hard_neg_docs, chat_history, question, gold_answer)",
    explain: explainRow("answers"),
  });
  const asked = all.filter(({ row }) => !isBlank(row.question));
  const rows = asked.filter(({ row }) => !isBlank(row.gold_answer));
  if (asked.length === 0) throw new DataError(`${path}: no row has a question.`);
  if (rows.length === 0) throw new DataError(`${path}: every gold answer is only white space.`);
  const leftOut = (left: typeof all, what: string): void => {
    if (left.length === 0) return;
    const lines = left.slice(0, 5).map(({ line }) => line);
    const where = `line${left.length > 1 ? "s" : ""} ${lines.join(", ")}${left.length > 5 ? ", …" : ""}`;
    warn(`${path}: ${left.length} of ${all.length} rows have ${what} and are left out (${where})`);
  };
  leftOut(
    all.filter(({ row }) => isBlank(row.question)),
    "an empty question",
  );
  leftOut(
    asked.filter(({ row }) => isBlank(row.gold_answer)),
    "a gold answer of white space alone",
  );
  return rows.map(({ line, row }) => ({ ...row, line }));
}
