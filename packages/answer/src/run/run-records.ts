import { readdir, readFile } from "node:fs/promises";
import { dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { pathKind, recordName } from "@rag-ft/core";
import { z } from "zod";

const recordSchema = z.looseObject({
  command: z.string(),
  working_directory: z.string().optional(),
  settings: z.record(z.string(), z.unknown()),
  started_at: z.string(),
});

/** What a stage left beside its output, and where that lies now. */
export interface FoundRecord extends z.infer<typeof recordSchema> {
  folder: string;
}

/** Of these stages: what they record names a system or parts of one. */
const STAGES = ["train-generator", "train-retriever", "test-e2e", "prepare-docs"];

/** As deep as a run's stages write below its folder, and one more. */
const DEPTH = 2;

async function foldersBelow(folder: string, depth: number): Promise<string[]> {
  if (depth === 0) return [folder];
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name));
  return [folder, ...(await Promise.all(folders.map((one) => foldersBelow(one, depth - 1)))).flat()];
}

async function readRecord(path: string): Promise<FoundRecord | undefined> {
  try {
    return { ...recordSchema.parse(JSON.parse(await readFile(path, "utf8"))), folder: dirname(path) };
  } catch {
    // Not there, or not a record: what is then missing is said by who looks for it.
    return undefined;
  }
}

/** The records of the stages of a run that make or test a system, newest first. */
export async function readRunRecords(run: string): Promise<FoundRecord[]> {
  const folders = await foldersBelow(run, DEPTH);
  const paths = folders.flatMap((folder) => STAGES.map((stage) => join(folder, recordName(stage))));
  const records = (await Promise.all(paths.map(readRecord))).filter((record) => record !== undefined);
  return records.sort((a, b) => b.started_at.localeCompare(a.started_at));
}

/** The run's folder as it was named when the stage wrote: what stands before the part that is the same now. */
function formerRun(run: string, { folder, settings }: FoundRecord): string | undefined {
  const written = settings.output_dir ?? settings.save_dir;
  if (typeof written !== "string") return undefined;
  const part = relative(run, folder);
  if (part === "") return written;
  return written.endsWith(`${sep}${part}`) ? written.slice(0, -part.length - 1) : undefined;
}

/**
 * A path or a model's name of a record, as it is to be opened now. What lay in the run's folder is in that folder alone, moved, copied or not: a copy that lacks a part is
 * told so by who opens it, and does not answer with the part of the run that it was copied from. Else from the present directory, else from the one where the stage
 * ran. What is none of these stays as it is: the name of a model.
 */
export async function recordedPath(run: string, record: FoundRecord, path: string): Promise<string> {
  const former = formerRun(run, record);
  const ran = resolve(record.working_directory ?? "");
  const within = former === undefined ? ".." : relative(resolve(ran, former), resolve(ran, path));
  const recorded = within.split(sep)[0] !== ".." && !isAbsolute(within);
  // A run in the very directory where it was called: org/name can be a model's name as well as a part.
  const part = recorded && (resolve(ran, former ?? "") !== ran || (await pathKind(resolve(ran, path))) !== undefined);
  if (recorded && (part || (await pathKind(join(run, within))))) return join(run, within);
  const candidates = [path, ...(record.working_directory === undefined ? [] : [join(record.working_directory, path)])];
  for (const candidate of candidates) if (await pathKind(candidate)) return candidate;
  return path;
}
