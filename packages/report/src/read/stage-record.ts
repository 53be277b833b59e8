import { readdir, readFile, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { DataError, describeIssues, UserError } from "@rag-ft/core";
import { z } from "zod";

const recordSchema = z.looseObject({
  command: z.string(),
  settings: z.record(z.string(), z.unknown()),
  inputs: z.record(z.string(), z.string()).default({}),
  outputs: z.array(z.string()).default([]),
  versions: z.record(z.string(), z.string()).default({}),
  started_at: z.string(),
  seconds: z.number(),
});

/** A stage's run record, with the folder where it was found: a run's folder may have been moved since. */
export interface StageRecord extends z.infer<typeof recordSchema> {
  folder: string;
}

const RECORD = /^manifest\.[\w-]+\.json$/;
/** Folders below a run's: `<work_dir>/<group>/<test>/<cell>` is as deep as any stage writes. */
const DEPTH = 4;
const PASSED_OVER = /^(\.|node_modules$|checkpoint-\d+$)/;

async function recordsBelow(folder: string, depth: number): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const found = entries
    .filter((entry) => entry.isFile() && RECORD.test(entry.name))
    .map(({ name }) => join(folder, name));
  if (depth === 0) return found;
  const deeper = entries.filter((entry) => entry.isDirectory() && !PASSED_OVER.test(entry.name));
  const lists = await Promise.all(deeper.map(({ name }) => recordsBelow(join(folder, name), depth - 1)));
  return [...found, ...lists.flat()];
}

async function readRecord(path: string): Promise<StageRecord> {
  const text = await readFile(path, "utf8");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new DataError(`${path}: not valid JSON. Run its stage again, or delete the file to leave the stage out.`, {
      cause,
    });
  }
  const parsed = recordSchema.safeParse(value);
  if (!parsed.success) {
    throw new DataError(
      `${path}: not a run record (command, settings, inputs, started_at, seconds): ${describeIssues(parsed.error)}. ` +
        "Run its stage again, or delete the file to leave the stage out.",
    );
  }
  return { ...parsed.data, folder: dirname(path) };
}

/**
 * The records of the stages that wrote below these folders, in the order in which they ran.
 *
 * @throws UserError when a folder is not there or none holds a record; DataError when a record is none.
 */
export async function readStageRecords(folders: readonly string[]): Promise<StageRecord[]> {
  const paths = new Map<string, string>();
  for (const folder of folders) {
    const info = await stat(folder).catch(() => undefined);
    if (!info?.isDirectory()) {
      throw new UserError(`${folder}: no such folder. run_dir wants folders that rag-ft's stages wrote to.`);
    }
    for (const path of await recordsBelow(folder, DEPTH)) paths.set(resolve(path), path);
  }
  if (paths.size === 0) {
    throw new UserError(
      `${folders.join(", ")}: no manifest.<stage>.json below it, so no stage has finished there. Give run_dir the output folders of the stages.`,
    );
  }
  const records = await Promise.all([...paths.values()].map(readRecord));
  return records.sort((a, b) => (a.started_at < b.started_at ? -1 : a.started_at > b.started_at ? 1 : 0));
}
