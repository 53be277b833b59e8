import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { DataError, hashText, isWithin, writeJsonAtomic } from "@rag-ft/core";
import { z } from "zod";
import type { SettingValues } from "../any-stage.js";
import type { InputFile } from "../input-files.js";

const doneSchema = z.object({
  stage: z.string(),
  fingerprint: z.string(),
  outputs: z.array(z.string()),
  /** All that appeared or changed in the stage's output folder while it ran: logs too. */
  written: z.array(z.string()),
  seconds: z.number(),
  finished_at: z.string(),
});

const stateSchema = z.object({ version: z.literal(1), done: z.record(z.string(), doneSchema) });

/** What is known of a stage that has run. */
export type DoneStage = z.infer<typeof doneSchema>;
/** `<work_dir>/run-state.json`: done stages by id. */
export type RunState = z.infer<typeof stateSchema>;

export function statePath(workDir: string): string {
  return join(workDir, "run-state.json");
}

/** @throws DataError when the file is there but is not a run's state. */
export async function readRunState(workDir: string): Promise<RunState> {
  const path = statePath(workDir);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { version: 1, done: {} };
    throw error;
  }
  try {
    return stateSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new DataError(`${path}: not the state of a run. Delete the file to run every stage anew.`, { cause });
  }
}

export async function writeRunState(workDir: string, state: RunState): Promise<void> {
  await writeJsonAtomic(statePath(workDir), state);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]));
}

/**
 * One hash of all that decides a stage's outcome: version, settings, content of its inputs. Files that the stage itself or
 * a later one writes (`written`) do not count: a stage may write into the folder that it reads. `behind`: what stands behind names.
 */
export function fingerprintOf(
  version: string,
  stage: string,
  settings: SettingValues,
  inputs: readonly InputFile[],
  written: readonly string[],
  behind: readonly string[] = [],
): string {
  const files = inputs
    .filter(({ path, root }) => !written.some((output) => !isWithin(root, output) && isWithin(path, output)))
    .map(({ path, sha256 }) => [path, sha256]);
  return hashText(JSON.stringify([version, stage, sorted(settings), files, ...(behind.length > 0 ? [behind] : [])]));
}

/** Whether a stage has run with this fingerprint and all that it wrote is still there. */
export async function isDone(done: DoneStage | undefined, fingerprint: string): Promise<boolean> {
  if (done?.fingerprint !== fingerprint) return false;
  const present = await Promise.all(
    done.outputs.map((path) =>
      stat(path).then(
        () => true,
        () => false,
      ),
    ),
  );
  return present.every(Boolean);
}
