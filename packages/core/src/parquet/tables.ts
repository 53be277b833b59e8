// How rows stand in columns: what is looked for with SQL has columns of its own, and `metadata`, which every source has other keys of, is the text of a
// JSON object, as Spark, DuckDB and pandas read one. Reading takes more than writing gives: any further column of passages is metadata.
import type { SchemaElement } from "hyparquet";
import { DataError } from "../errors.js";

type Row = Record<string, unknown>;

const text = (name: string, isRequired = true): SchemaElement => ({
  name,
  type: "BYTE_ARRAY",
  converted_type: "UTF8",
  repetition_type: isRequired ? "REQUIRED" : "OPTIONAL",
});

const PASSAGE = [text("page_content"), text("fmt_content"), text("source"), text("title", false), text("metadata")];

/** A list in the three levels that all programs write. */
const list = (name: string, element: readonly SchemaElement[]): SchemaElement[] => [
  { name, repetition_type: "REQUIRED", converted_type: "LIST", num_children: 1 },
  { name: "list", repetition_type: "REPEATED", num_children: 1 },
  ...element,
];

const passages = (name: string): SchemaElement[] =>
  list(name, [{ name: "element", repetition_type: "REQUIRED", num_children: PASSAGE.length }, ...PASSAGE]);

const GOLD = [...passages("gold_docs"), ...passages("hard_neg_docs"), text("chat_history")];

/** What is written: columns by kind of row. */
const COLUMNS = {
  passages: PASSAGE,
  questions: [...GOLD, ...list("questions", [text("element")]), text("more", false)],
  answers: [...GOLD, text("question"), text("gold_answer"), text("more", false)],
} as const;

export type TableKind = keyof typeof COLUMNS;

/** What a row is one of; undefined for other files. */
export function kindOf(row: unknown): TableKind | undefined {
  const keys = typeof row === "object" && row !== null ? row : {};
  if ("page_content" in keys) return "passages";
  if (!("gold_docs" in keys)) return undefined;
  if ("gold_answer" in keys) return "answers";
  return "questions" in keys ? "questions" : undefined;
}

/** The schema of a kind of row, and the names of its columns. */
export function schemaOf(kind: TableKind): { schema: SchemaElement[]; names: string[] } {
  const elements: readonly SchemaElement[] = COLUMNS[kind];
  const names = {
    passages: PASSAGE.map(({ name }) => name),
    questions: ["gold_docs", "hard_neg_docs", "chat_history", "questions", "more"],
    answers: ["gold_docs", "hard_neg_docs", "chat_history", "question", "gold_answer", "more"],
  }[kind];
  return { schema: [{ name: "root", num_children: names.length }, ...elements], names };
}

/** Half of a character, which texts in JSON may hold and UTF-8 cannot. */
const HALF = /\p{Surrogate}/u;

function whole(value: unknown, column: string): string {
  if (typeof value !== "string")
    throw new DataError(`${column} is ${value === null ? "null" : typeof value}, not a text`);
  if (HALF.test(value)) throw new DataError(`${column} holds half of a character (a lone surrogate)`);
  return value;
}

function passageColumns(passage: unknown): Row {
  const { page_content, fmt_content, metadata } = passage as {
    page_content: unknown;
    fmt_content: unknown;
    metadata: Row;
  };
  const { source, title } = metadata;
  return {
    page_content: whole(page_content, "page_content"),
    fmt_content: whole(fmt_content, "fmt_content"),
    source: whole(source, "metadata.source"),
    title: typeof title === "string" ? whole(title, "metadata.title") : undefined,
    metadata: JSON.stringify(metadata),
  };
}

/** A row in columns. @throws DataError, a part of a sentence, for what no column can hold */
export function toColumns(kind: TableKind, row: unknown): Row {
  if (kind === "passages") return passageColumns(row);
  const { gold_docs, hard_neg_docs, chat_history, questions, question, gold_answer, ...more } = row as Row;
  return {
    gold_docs: (gold_docs as unknown[]).map(passageColumns),
    hard_neg_docs: (hard_neg_docs as unknown[]).map(passageColumns),
    chat_history: JSON.stringify(chat_history ?? []),
    ...(kind === "questions"
      ? { questions: (questions as unknown[]).map((one) => whole(one, "questions")) }
      : { question: whole(question, "question"), gold_answer: whole(gold_answer, "gold_answer") }),
    more: Object.keys(more).length > 0 ? JSON.stringify(more) : undefined,
  };
}

/** A value that may stand as the text of JSON. */
function opened(value: unknown, column: string): unknown {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value);
  } catch {
    throw new DataError(`${column} is a text that is no JSON`);
  }
}

const isRow = (value: unknown): value is Row => typeof value === "object" && value !== null && !Array.isArray(value);

/** Columns of a passage as a passage: those that it does not have are metadata, and go before what `metadata` says. */
function toPassage(columns: unknown): unknown {
  if (!isRow(columns)) return columns;
  const { page_content, fmt_content, metadata = {}, ...others } = columns;
  const inner = opened(metadata, "metadata");
  if (!isRow(inner)) throw new DataError("metadata is no JSON object");
  return {
    page_content,
    ...(fmt_content === undefined ? {} : { fmt_content }),
    metadata: { ...inner, ...others },
  };
}

const PARTS = ["gold_docs", "hard_neg_docs"] as const;

/** A row of columns as the row of JSONL that it stands for. @throws DataError, a part of a sentence */
export function fromColumns(columns: Row): unknown {
  if ("gold_docs" in columns) {
    const { more, ...row } = columns;
    for (const key of PARTS) {
      const documents = opened(row[key] ?? [], key);
      row[key] = Array.isArray(documents) ? documents.map(toPassage) : documents;
    }
    row.chat_history = opened(row.chat_history ?? [], "chat_history");
    if ("questions" in row) row.questions = opened(row.questions, "questions");
    const rest = more === undefined ? {} : opened(more, "more");
    return { ...row, ...(isRow(rest) ? rest : {}) };
  }
  if ("page_content" in columns) return toPassage(columns);
  return "metadata" in columns ? { ...columns, metadata: opened(columns.metadata, "metadata") } : columns;
}
