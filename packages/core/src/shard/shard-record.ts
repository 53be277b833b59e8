import { mkdir, readFile, rename, rm, rmdir, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { z } from "zod";
import { writeJsonAtomic } from "../atomic.js";
import { cleanTemporaries } from "../clean-temporaries.js";
import { withFolderLock } from "../folder-lock.js";
import { hashFile } from "../hash.js";
import { type Shard, shardPaths } from "./shard.js";

/** What says that a part is done: it is written last, so that a worker that was killed leaves none. */
export const shardRecordSchema = z.object({
  format: z.literal("rag-ft-shard"),
  version: z.literal(1),
  stage: z.string(),
  /** Name of the file that the parts make together, without its extension. */
  name: z.string(),
  shard: z.number().int().min(1),
  of: z.number().int().min(1),
  /** Settings that decide what is in the parts, and hashes of what stands behind them; alike in all parts. */
  settings: z.record(z.string(), z.unknown()),
  /** What the parts are parts of, by hashes; alike in all parts. */
  inputs: z.record(z.string(), z.string()),
  data: z.object({ file: z.string(), sha256: z.string(), bytes: z.number(), rows: z.number() }),
  /** Counts of the stage. */
  counts: z.record(z.string(), z.number()),
  finished_at: z.string(),
});

export type ShardRecord = z.infer<typeof shardRecordSchema>;

/** A part that is to be made. */
export interface ShardJob extends Pick<ShardRecord, "stage" | "name" | "settings" | "inputs"> {
  shard: Shard;
  /** Folder of all parts. */
  folder: string;
}

/** The record at a path; undefined when there is none that can be read: then the part is not done. */
export async function readShardRecord(path: string): Promise<ShardRecord | undefined> {
  try {
    return shardRecordSchema.parse(JSON.parse(await readFile(path, "utf8")));
  } catch {
    return undefined;
  }
}

/** What is wrong with the data of a part, after its path; undefined when it is whole. */
export async function dataProblem(path: string, { bytes, sha256 }: ShardRecord["data"]): Promise<string | undefined> {
  const info = await stat(path).catch(() => undefined);
  if (info === undefined) return "is not there";
  if (info.size !== bytes) return `has ${info.size} bytes where its record says ${bytes}`;
  return (await hashFile(path)) === sha256 ? undefined : "holds other bytes than its record says";
}

const same = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);

/** The record of a part that is done as the job says, and whose data is whole. */
export async function doneShard({ folder, name, shard, ...job }: ShardJob): Promise<ShardRecord | undefined> {
  const paths = shardPaths(folder, name, shard);
  const record = await readShardRecord(paths.record);
  const fits =
    record?.stage === job.stage && same(record.settings, job.settings) && same(record.inputs, job.inputs) && record;
  if (!fits) return undefined;
  return (await dataProblem(paths.data, fits.data)) === undefined ? fits : undefined;
}

/** Gives the data of a part its name, and then the part its record. */
export async function finishShard(
  { folder, name, shard, stage, settings, inputs }: ShardJob,
  { made, rows, counts }: { made: string; rows: number; counts: Record<string, number> },
): Promise<ShardRecord> {
  const paths = shardPaths(folder, name, shard);
  const sha256 = await hashFile(made);
  const { size: bytes } = await stat(made);
  // The record of other data goes before its data does.
  await rm(paths.record, { force: true });
  await rename(made, paths.data);
  const record: ShardRecord = {
    ...{ format: "rag-ft-shard", version: 1, stage, name, shard: shard.index, of: shard.of, settings, inputs },
    data: { file: basename(paths.data), sha256, bytes, rows },
    counts,
    finished_at: new Date().toISOString(),
  };
  await writeJsonAtomic(paths.record, record);
  return record;
}

/** Does `work` in the folder of a part, while no other process does; the folder goes when nothing is left in it. */
export async function inShardFolder<T>(
  { folder, name, shard }: Pick<ShardJob, "folder" | "name" | "shard">,
  context: { signal: AbortSignal },
  work: (folder: string, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { work: own } = shardPaths(folder, name, shard);
  await mkdir(dirname(own), { recursive: true });
  try {
    return await withFolderLock(
      own,
      async (signal) => {
        await cleanTemporaries(own);
        return work(own, signal);
      },
      context,
    );
  } finally {
    await rmdir(own).catch(() => {});
  }
}
