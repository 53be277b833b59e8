import { writeChunksAtomic } from "../atomic.js";
import { DataError } from "../errors.js";
import { kindOf, schemaOf, type TableKind, toColumns } from "./tables.js";

/** A row group is in memory when it is written and when it is read: so many characters, or rows. */
const MOST_CHARACTERS = 16 * 2 ** 20;
const MOST_ROWS = 50_000;

type Row = Record<string, unknown>;

function charactersOf(value: unknown): number {
  if (typeof value === "string") return value.length;
  if (typeof value !== "object" || value === null) return 0;
  return Object.values(value).reduce((sum: number, one) => sum + charactersOf(one), 0);
}

async function* chunksOf(
  path: string,
  rows: AsyncIterable<unknown> | Iterable<unknown>,
  given: TableKind,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { ByteWriter, ParquetWriter } = await import("hyparquet-writer");
  const bytes = new ByteWriter();
  const take = (): Uint8Array => {
    const chunk = bytes.getBytes().slice();
    bytes.index = 0;
    return chunk;
  };
  let kind: TableKind | undefined;
  let group: Row[] = [];
  let characters = 0;
  let writer: InstanceType<typeof ParquetWriter> | undefined;
  const opened = (): InstanceType<typeof ParquetWriter> => {
    writer ??= new ParquetWriter({ writer: bytes, schema: schemaOf(kind ?? given).schema });
    return writer;
  };
  const write = (): void => {
    const columnData = schemaOf(kind ?? given).names.map((name) => ({ name, data: group.map((row) => row[name]) }));
    opened().write({ columnData, rowGroupSize: Math.max(1, group.length) });
    group = [];
    characters = 0;
  };
  let number = 0;
  for await (const row of rows) {
    number++;
    kind ??= kindOf(row);
    if (kind === undefined)
      throw new DataError(
        `${path}: only passages, questions and answers are written as Parquet, and row ${number} is none of these (its keys: ${Object.keys(row as Row).join(", ")}).`,
      );
    let columns: Row;
    try {
      columns = toColumns(kind, row);
    } catch (cause) {
      if (!(cause instanceof DataError)) throw cause;
      throw new DataError(`${path}: row ${number} cannot be Parquet: ${cause.message}. Repair it, or write JSONL.`, {
        cause,
      });
    }
    group.push(columns);
    characters += charactersOf(columns);
    if (characters < MOST_CHARACTERS && group.length < MOST_ROWS) continue;
    write();
    yield take();
  }
  if (group.length > 0) write();
  opened().finish();
  yield take();
}

/** Writes rows as a Parquet file, whole or not at all, whatever its size. `kind`: of a file without a row. */
export async function writeParquet(
  path: string,
  rows: AsyncIterable<unknown> | Iterable<unknown>,
  kind: TableKind = "passages",
): Promise<void> {
  await writeChunksAtomic(path, chunksOf(path, rows, kind));
}
