import { appendFile, mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { z } from "zod";
import { writeChunksAtomic } from "./atomic.js";
import { DataError, UserError } from "./errors.js";
import { isParquet, type OpenedParquet, openParquet } from "./parquet/read-parquet.js";
import { fromColumns } from "./parquet/tables.js";
import { readLines } from "./read-lines.js";

/** Fails with a clear message unless `path` is a file that can be read. */
export async function requireFile(path: string, what: string): Promise<void> {
  let info: Awaited<ReturnType<typeof stat>>;
  try {
    info = await stat(path);
  } catch (cause) {
    throw new UserError(`${path}: no such file (${what}). Check the path.`, { cause });
  }
  if (!info.isFile()) throw new UserError(`${path}: expected a file (${what}), found a folder.`);
}

export interface ReadJsonlOptions {
  /** What the file holds, for messages: `questions (*_w_q.jsonl)`. */
  what: string;
  /** A hint for a row that fails the schema, such as that this is a file of another stage. */
  explain?: (row: unknown) => string | undefined;
  /** An empty file is an error unless this is set. */
  allowEmpty?: boolean;
}

/** Problems of a zod error in one line: `questions: expected array, received undefined; …`; `whole` names what has no part that is wrong alone. */
export function describeIssues(error: z.ZodError, whole = "row"): string {
  return error.issues
    .slice(0, 5)
    .map((issue) => `${issue.path.length > 0 ? issue.path.join(".") : whole}: ${issue.message}`)
    .join("; ");
}

/** A row and the number of its line in the file, from 1. */
export interface NumberedRow<T> {
  line: number;
  row: T;
}

/** Reads a JSONL file as `readNumberedJsonl` does; the rows alone. */
export async function readJsonl<T>(path: string, schema: z.ZodType<T>, options: ReadJsonlOptions): Promise<T[]> {
  return (await readNumberedJsonl(path, schema, options)).map(({ row }) => row);
}

/** Reads a JSONL file as `streamJsonl` does, whole. */
export async function readNumberedJsonl<T>(
  path: string,
  schema: z.ZodType<T>,
  options: ReadJsonlOptions,
): Promise<NumberedRow<T>[]> {
  const rows: NumberedRow<T>[] = [];
  for await (const row of streamJsonl(path, schema, options)) rows.push(row);
  return rows;
}

/** Rows of a JSONL file as they stand, with the numbers of their lines. */
async function* linesOf(path: string, what: string): AsyncGenerator<NumberedRow<unknown>> {
  let number = 0;
  for await (const line of readLines(path)) {
    number++;
    const text = number === 1 ? line.replace(/^\uFEFF/, "") : line;
    if (text.trim() === "") continue;
    try {
      yield { line: number, row: JSON.parse(text) };
    } catch (cause) {
      if (!(cause instanceof SyntaxError)) throw cause;
      const found = text.length > 60 ? `${text.slice(0, 60)}…` : text;
      throw new DataError(
        `${path}:${number}: not valid JSON (found: ${found}). Expected ${what}, one JSON object a line.`,
        { cause },
      );
    }
  }
}

/** Rows of a Parquet file, numbered, as the rows of JSONL that they stand for. */
async function* columnsOf({ read }: OpenedParquet, path: string): AsyncGenerator<NumberedRow<unknown>> {
  let number = 0;
  for await (const columns of read()) {
    number++;
    let row: unknown;
    try {
      row = fromColumns(columns);
    } catch (cause) {
      if (!(cause instanceof DataError)) throw cause;
      throw new DataError(`${path}: row ${number}: ${cause.message}. Repair the column.`, { cause });
    }
    yield { line: number, row };
  }
}

/**
 * Reads a JSONL file row by row, each line checked by `schema`. Blank lines are passed over. A file whose name ends in `.parquet` is read in the same way, its
 * columns put together to the rows that they stand for.
 *
 * @throws UserError when the file is not there, DataError (with the line's number) when a line is not JSON or fails the
 * schema, or when there is no line at all.
 */
export async function* streamJsonl<T>(
  path: string,
  schema: z.ZodType<T>,
  options: ReadJsonlOptions,
): AsyncGenerator<NumberedRow<T>> {
  await requireFile(path, options.what);
  const parquet = isParquet(path) ? await openParquet(path) : undefined;
  let empty = true;
  for await (const { line, row } of parquet ? columnsOf(parquet, path) : linesOf(path, options.what)) {
    const parsed = schema.safeParse(row);
    if (!parsed.success) {
      const hint = options.explain?.(row);
      const where = parquet ? `${path}: row ${line}` : `${path}:${line}`;
      const columns = parquet
        ? ` Its columns are ${parquet.columns.join(", ")}: rename them, or add what is missing.`
        : "";
      throw new DataError(
        `${where}: not ${options.what}: ${describeIssues(parsed.error)}.${columns}${hint ? ` ${hint}` : ""}`,
        { cause: parsed.error },
      );
    }
    empty = false;
    yield { line, row: parsed.data };
  }
  if (empty && !options.allowEmpty) {
    throw new DataError(`${path}: the file is empty. Expected ${options.what}, at least one line.`);
  }
}

/** Rows as JSONL text; for a few. */
export function toJsonl(rows: readonly unknown[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join("");
}

/** What is written at once: a file may be larger than a string can be. */
const CHUNK = 1 << 20;

/** Lines with their line breaks, in parts of about a megabyte. */
async function* chunksOf(lines: AsyncIterable<string> | Iterable<string>): AsyncGenerator<string, void, undefined> {
  let text = "";
  for await (const line of lines) {
    text += `${line}\n`;
    if (text.length < CHUNK) continue;
    yield text;
    text = "";
  }
  if (text !== "") yield text;
}

async function* jsonOf(rows: AsyncIterable<unknown> | Iterable<unknown>): AsyncGenerator<string, void, undefined> {
  for await (const row of rows) yield JSON.stringify(row);
}

/** Writes a file of lines atomically, whatever its size. */
export async function writeLines(path: string, lines: AsyncIterable<string> | Iterable<string>): Promise<void> {
  await writeChunksAtomic(path, chunksOf(lines));
}

/** Writes a whole JSONL file atomically, whatever its size. */
export async function writeJsonl(path: string, rows: AsyncIterable<unknown> | Iterable<unknown>): Promise<void> {
  await writeLines(path, jsonOf(rows));
}

/** Appends one line, for logs that grow during a run. */
export async function appendJsonl(path: string, row: unknown): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await appendFile(path, toJsonl([row]));
}
