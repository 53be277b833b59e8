import { open } from "node:fs/promises";
import type { FileMetaData, ParquetParsers } from "hyparquet";
import { DataError } from "../errors.js";

const MAGIC = "PAR1";
const ENCRYPTED = "PARE";

export const isParquet = (path: string): boolean => /\.parquet$/i.test(path);

/** The first and the last four bytes of a file. */
async function ends(path: string): Promise<{ first: string; last: string }> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const at = async (from: number): Promise<string> => {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(4), 0, 4, Math.max(0, from));
      return buffer.toString("latin1", 0, bytesRead);
    };
    return { first: await at(0), last: size < 12 ? "" : await at(size - 4) };
  } finally {
    await file.close();
  }
}

async function requireParquet(path: string): Promise<void> {
  const { first, last } = await ends(path);
  if (first === ENCRYPTED || last === ENCRYPTED)
    throw new DataError(`${path}: is encrypted Parquet, which is not read. Write it without encryption.`);
  if (first !== MAGIC)
    throw new DataError(
      `${path}: not Parquet (it begins with ${JSON.stringify(first)}, not "${MAGIC}"). Give a Parquet file, or the file its own extension.`,
    );
  if (last !== MAGIC)
    throw new DataError(`${path}: Parquet that is cut short (its end is missing). Copy it or write it again.`);
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Texts as they are or not at all, where hyparquet would put marks in place of what is not UTF-8. */
function stringFromBytes(bytes: Uint8Array | undefined): string | undefined {
  try {
    return bytes && utf8.decode(bytes);
  } catch {
    throw new Error("a text is not UTF-8; a column of bytes has to be left out");
  }
}

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/**
 * A value without the types that JSON lacks: whole numbers beyond 2^53 become texts, so that no digit is lost; times are ISO texts, bytes base64. Fields of
 * structs that have no value are left out: every row of a column has all of them.
 */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<unknown>, plain);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, one]) => one !== null && one !== undefined)
      .map(([key, one]) => [key, plain(one)]),
  );
}

/** Names of a file's columns. */
export function columnsOf({ schema }: Pick<FileMetaData, "schema">): string[] {
  const names: string[] = [];
  // The schema is a tree in one list, each element before its children.
  const skip = (at: number): number => {
    let next = at + 1;
    for (let child = schema[at]?.num_children ?? 0; child > 0; child--) next = skip(next);
    return next;
  };
  for (let at = 1; at < schema.length; at = skip(at)) names.push(schema[at]?.name ?? "");
  return names;
}

/** A Parquet file that is read. */
export interface OpenedParquet {
  columns: string[];
  rows: number;
  /** Rows from one place on, as objects of their columns without those that have no value; one row group is in memory at a time. */
  read(): AsyncGenerator<Record<string, unknown>, void, undefined>;
}

/**
 * Opens a Parquet file, of whichever program.
 *
 * @throws DataError where it is something else, cut short or damaged
 */
export async function openParquet(path: string): Promise<OpenedParquet> {
  await requireParquet(path);
  const [{ asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects }, { compressors }] = await Promise.all([
    import("hyparquet"),
    import("hyparquet-compressors"),
  ]);
  const file = await asyncBufferFromFile(path);
  const metadata = await parquetMetadataAsync(file).catch((cause) => {
    throw new DataError(`${path}: Parquet whose footer cannot be read (${reason(cause)}). Copy it or write it again.`, {
      cause,
    });
  });
  return {
    columns: columnsOf(metadata),
    rows: Number(metadata.num_rows),
    async *read() {
      let start = 0;
      for (const group of metadata.row_groups) {
        const end = start + Number(group.num_rows);
        const parsers = { stringFromBytes } as ParquetParsers; // the others are its own
        const options = { file, metadata, compressors, parsers, rowStart: start, rowEnd: end };
        const rows = await parquetReadObjects(options).catch((cause) => {
          throw new DataError(
            `${path}: rows ${start + 1} to ${end} cannot be read (${reason(cause)}). Copy the file or write it again.`,
            { cause },
          );
        });
        if (rows.length !== end - start)
          throw new DataError(
            `${path}: has ${rows.length} rows where its footer says ${end - start} (from row ${start + 1}). Copy it or write it again.`,
          );
        for (const row of rows) yield plain(row) as Record<string, unknown>;
        start = end;
      }
    },
  };
}
