import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { bytesAtOnce, DataError, readLines, throwIfCancelled } from "@rag-ft/core";
import type { Merging } from "./merging.js";
import { writeJsonLines } from "./write-json-lines.js";

/** Rows before others may work. */
const TURN = 1000;

/** Shards of rows that do not depend on each other, which took turns: the rows in their order. */
export const mergeRows: Merging = async ({ name, parts, settings }, folder, { reporter, signal }) => {
  const output = join(folder, `${name}.${settings.writes === "parquet" ? "parquet" : "jsonl"}`);
  const total = parts.reduce((sum, { record }) => sum + record.data.rows, 0);
  const progress = reporter.start(`merging shards of ${name}`, total);
  const readers = parts.map(({ data }) => readLines(data, { chunk: bytesAtOnce(parts.length) }));
  async function* rows(): AsyncGenerator<string> {
    for (let place = 0; place < total; place++) {
      const part = place % parts.length;
      const { value, done } = await (readers[part] as (typeof readers)[number]).next();
      if (done)
        throw new DataError(
          `${parts[part]?.data}: has ${Math.floor(place / parts.length)} rows, which is not its share of ${total}; run its shard again.`,
        );
      yield value;
      if (place % TURN > 0) continue;
      progress.update(place);
      await setImmediate();
      throwIfCancelled(signal);
    }
  }
  try {
    await writeJsonLines(output, rows(), "questions");
  } finally {
    progress.stop();
    for (const reader of readers) await reader.return();
  }
  const figures: Record<string, number> = {};
  for (const { record } of parts)
    for (const [key, value] of Object.entries(record.counts)) figures[key] = (figures[key] ?? 0) + value;
  return { outputs: [output], figures, lines: [`${output}: ${parts.length} shards, ${total} rows`] };
};
