import { writeJsonl } from "./jsonl.js";
import { isParquet } from "./parquet/read-parquet.js";
import { writeParquet } from "./parquet/write-parquet.js";

/** Writes rows of passages, questions or answers, as Parquet where the path says so, else as JSONL. */
export async function writeRows(path: string, rows: AsyncIterable<unknown> | Iterable<unknown>): Promise<void> {
  await (isParquet(path) ? writeParquet(path, rows) : writeJsonl(path, rows));
}
