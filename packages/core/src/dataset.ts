import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { createDocument, type Document, documentSchema } from "./document.js";
import { DataError } from "./errors.js";
import { isBlank } from "./is-blank.js";
import { readJsonl, readNumberedJsonl, requireFile, streamJsonl } from "./jsonl.js";
import { kindOf } from "./parquet/tables.js";
import { pathKind } from "./paths.js";
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

/** How each kind of file is read. */
const KINDS = {
  passages: {
    schema: documentLineSchema as unknown as z.ZodType<Document>,
    what: "a passage of a document database (page_content, fmt_content, metadata)",
    explain: explainRow("passage"),
  },
  questions: {
    schema: questionsRowSchema as z.ZodType<QuestionsRow>,
    what: "questions (*_w_q.jsonl: gold_docs, hard_neg_docs, chat_history, questions)",
    explain: explainRow("questions"),
  },
  answers: {
    schema: qaRowSchema as z.ZodType<QaRow>,
    what: "questions with answers (*_w_qa.jsonl: gold_docs, hard_neg_docs, chat_history, question, gold_answer)",
    explain: explainRow("answers"),
  },
};

/** Reads a document database passage by passage: `documents.jsonl`, `documents.parquet`, or the reference's `.pkl` (without running code), which is read whole. */
export async function* streamDocuments(path: string): AsyncGenerator<Document, void, undefined> {
  if (/\.(pkl|pickle)$/i.test(path)) {
    await requireFile(path, "a document database (.pkl)");
    const documents = await readPickleDocuments(path);
    if (documents.length === 0) throw new DataError(`${path}: the database holds no passage.`);
    yield* documents;
    return;
  }
  for await (const { row } of streamJsonl(path, KINDS.passages.schema, KINDS.passages)) yield row;
}

/** Reads a document database as `streamDocuments` does, whole. */
export async function readDocuments(path: string): Promise<Document[]> {
  const documents: Document[] = [];
  for await (const document of streamDocuments(path)) documents.push(document);
  return documents;
}

/** Reads `*_w_q.jsonl`, or the same as Parquet. */
export async function readQuestions(path: string): Promise<QuestionsRow[]> {
  return readJsonl(path, KINDS.questions.schema, KINDS.questions);
}

/**
 * Reads a database or a file of questions or answers, whichever it is, row by row, each checked; of a folder, as Spark leaves one, its files in the order of their
 * names.
 *
 * @throws DataError for a file of something else
 */
export async function* streamTable(path: string): AsyncGenerator<unknown, void, undefined> {
  if ((await pathKind(path)) === "folder") {
    const names = (await readdir(path)).filter((name) => /^[^._].*\.(parquet|jsonl)$/i.test(name)).sort();
    if (names.length === 0)
      throw new DataError(`${path}: no file of rows (.parquet, .jsonl) is in the folder. Check the path.`);
    for (const name of names) yield* streamTable(join(path, name));
    return;
  }
  if (/\.(pkl|pickle)$/i.test(path)) {
    yield* streamDocuments(path);
    return;
  }
  const what = "passages, questions or answers";
  let kind: ReturnType<typeof kindOf>;
  for await (const { row } of streamJsonl(path, z.looseObject({}), { what })) {
    kind = kindOf(row);
    if (kind !== undefined) break;
    throw new DataError(
      `${path}: expected ${what} (page_content, or gold_docs with questions or gold_answer), found rows with ${Object.keys(row).join(", ")}.`,
    );
  }
  if (kind === undefined) return;
  const { schema, ...options } = KINDS[kind];
  for await (const { row } of streamJsonl<unknown>(path, schema, options)) yield row;
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
  const all = await readNumberedJsonl(path, KINDS.answers.schema, KINDS.answers);
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
