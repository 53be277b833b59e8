import { resolve } from "node:path";
import {
  isParquet,
  isWithin,
  type Stage,
  type StageContext,
  type StageResult,
  streamTable,
  throwIfCancelled,
  UserError,
  writeRows,
} from "@rag-ft/core";
import { type ConvertSettings, convertSettings } from "./settings.js";

async function runConvert({ from, to }: ConvertSettings, { reporter, signal }: StageContext): Promise<StageResult> {
  if (resolve(from) === resolve(to)) throw new UserError(`${to}: is the file that is read. Give another one to write.`);
  // The next run would read what this one has written.
  if (isWithin(to, from)) throw new UserError(`${to}: lies in ${from}, all of which is read. Write to another folder.`);
  const progress = reporter.start(`writing ${to}`, 0);
  let rows = 0;
  async function* all(): AsyncGenerator<unknown> {
    for await (const row of streamTable(from)) {
      if (++rows % 1000 === 0) progress.update(rows);
      throwIfCancelled(signal);
      yield row;
    }
  }
  try {
    await writeRows(to, all());
  } finally {
    progress.stop();
  }
  return {
    outputs: [to],
    figures: { rows },
    summary: `${to}: ${rows} rows${isParquet(to) ? " as Parquet" : ""}`,
  };
}

/** `rag-ft convert a.jsonl b.parquet`: rows of passages, questions or answers in another kind of file, each row checked, whatever the size. */
export const convert: Stage<ConvertSettings> = {
  name: "convert",
  summary: "write passages, questions or answers as Parquet, for Spark, DuckDB or pandas, or as JSONL",
  settings: convertSettings,
  positionals: ["from", "to"],
  inputs: ["from"],
  run: runConvert,
};
