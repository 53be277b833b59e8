import { isParquet, type TableKind, writeLines, writeParquet } from "@rag-ft/core";

async function* parsed(lines: AsyncIterable<string>): AsyncGenerator<unknown> {
  for await (const line of lines) yield JSON.parse(line);
}

/** Writes rows that are lines of JSON already: as they stand, or as Parquet where the path says so. `kind`: of a file without a row. */
export async function writeJsonLines(path: string, lines: AsyncIterable<string>, kind: TableKind): Promise<void> {
  await (isParquet(path) ? writeParquet(path, parsed(lines), kind) : writeLines(path, lines));
}
