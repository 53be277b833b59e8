import { stat } from "node:fs/promises";
import { join } from "node:path";
import { DataError, describeIssues, hashFile, pathKind, readTextIfThere } from "@rag-ft/core";
import { z } from "zod";
import { hashedFiles, JOB_FILE, type Job, RESULT_FOLDER } from "../job/job-file.js";
import { isSameMinor } from "../versions.js";
import { whyJobFailed } from "./out-of-memory.js";

/** Written last, and whole: without it a result is not one. */
const RESULT_FILE = "result.json";
const LOG_FILE = "run.log";

const resultSchema = z.object({
  job: z.string(),
  /** Of the checkpoint whose weights these are. */
  step: z.number().int().positive(),
  versions: z.record(z.string(), z.string()),
  files: hashedFiles.min(1),
  /** Lines of the engine's log: `loss` and `learning_rate` of a step, or figures of an evaluation. */
  log: z.array(z.looseObject({ step: z.number() })),
});

/** What an engine's run left. */
export type EngineResult = z.infer<typeof resultSchema> & { folder: string };

/** Where a job stands: not run, run and failed (why, where its log tells), or ended. */
export type JobState = { kind: "none" } | { kind: "failed"; why: string | undefined } | { kind: "ended" };

/** Where a job stands by its folder; nothing of the result is checked. */
export async function jobState(folder: string, result = join(folder, RESULT_FOLDER)): Promise<JobState> {
  if ((await pathKind(join(result, RESULT_FILE))) === "file") return { kind: "ended" };
  const log = await readTextIfThere(join(folder, LOG_FILE));
  return log === undefined ? { kind: "none" } : { kind: "failed", why: whyJobFailed(log) };
}

async function readResultFile(path: string): Promise<Omit<EngineResult, "folder">> {
  const text = await readTextIfThere(path);
  if (text === undefined)
    throw new DataError(`${path} is missing: the job has not ended, or its result was not copied whole.`);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    const { message } = cause as Error;
    const none = /:\s*(-?(?:NaN|Infinity))\b/.exec(text)?.[1];
    if (none !== undefined)
      throw new DataError(
        `${path}: a figure of the job's log is ${none}: the training has diverged. Export again with a lower learning_rate, or with bf16 in place of fp16.`,
        { cause },
      );
    throw new DataError(`${path}: cut short or damaged (${message}). Copy it again.`, { cause });
  }
  const parsed = resultSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new DataError(`${path}: not what a job's run.sh leaves: ${describeIssues(parsed.error, "file")}.`, {
    cause: parsed.error,
  });
}

/** @throws DataError naming the first file that is missing, cut short or another. */
async function requireFiles(
  folder: string,
  files: z.infer<typeof hashedFiles>,
  what: string,
  toDo: string,
): Promise<void> {
  for (const { path, bytes, sha256 } of files) {
    const whole = join(folder, path);
    const size = (await stat(whole).catch(() => undefined))?.size;
    if (size === undefined) throw new DataError(`${whole} is missing, a file of ${what}. ${toDo}`);
    if (size !== bytes) throw new DataError(`${whole} has ${size} bytes, expected ${bytes} of ${what}. ${toDo}`);
    if ((await hashFile(whole)) !== sha256)
      throw new DataError(`${whole} has another hash than that of ${what}, though as many bytes. ${toDo}`);
  }
}

/**
 * Reads what an engine's run left, and checks all of it: that it is of this job and whole, that the job's files are those that were exported, and that
 * the engine was one that fits.
 *
 * @throws DataError in one sentence, with what to do.
 */
export async function readResult(
  job: Job,
  folder: string,
  result = join(folder, RESULT_FOLDER),
): Promise<EngineResult> {
  const found = await readResultFile(join(result, RESULT_FILE));
  if (found.job !== job.id)
    throw new DataError(
      `${result} is of job ${found.job}, but ${join(folder, JOB_FILE)} is job ${job.id}. Bring the result of this job, or export again.`,
    );
  if (found.step > job.steps)
    throw new DataError(
      `${result} is of step ${found.step}, but the job has ${job.steps}. Bring the result of this job.`,
    );
  for (const [name, pinned] of Object.entries(job.packages)) {
    const version = found.versions[name];
    if (version !== undefined && isSameMinor(version, pinned)) continue;
    throw new DataError(
      `${result} was trained with ${name} ${version ?? "of an unknown version"}, expected ${pinned}. Run the job again with its requirements.txt.`,
    );
  }
  await requireFiles(
    folder,
    job.files,
    "the job that was exported",
    "Export again, and train with what is written then.",
  );
  await requireFiles(result, found.files, "the result", "Copy the folder again.");
  return { ...found, folder: result };
}
