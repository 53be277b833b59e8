import { join } from "node:path";
import { DataError, describeIssues, readTextIfThere } from "@rag-ft/core";
import type { RunIdentity } from "@rag-ft/train";
import { z } from "zod";

/** In the job's folder: what the job is. */
export const JOB_FILE = "job.json";
/** What the engine's run leaves, and the folder that comes back. */
export const RESULT_FOLDER = "result";

const fileSchema = z.object({
  /** Inside its folder, with slashes. */
  path: z
    .string()
    .regex(/^[^/\\].*$/)
    .refine((path) => !path.split("/").includes(".."), "leaves the folder"),
  bytes: z.number().int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
export type HashedFile = z.infer<typeof fileSchema>;
export const hashedFiles = z.array(fileSchema);

const jobSchema = z.object({
  /** Hash of all that decides the result. */
  id: z.string(),
  engine: z.string(),
  stage: z.string(),
  /** The stage's settings: `rag-ft import` runs it with them. */
  settings: z.record(z.string(), z.unknown()),
  working_directory: z.string(),
  identity: z.object({ settings: z.record(z.string(), z.unknown()), inputs: z.record(z.string(), z.string()) }),
  /** Where the engine finds the base: a folder of the job, or a name and commit of the hub. */
  base: z.object({ name: z.string(), place: z.string(), commit: z.string().optional() }),
  steps: z.number().int().positive(),
  /** Versions that the job was made for. */
  packages: z.record(z.string(), z.string()),
  files: hashedFiles,
});

/** What a job's folder is. */
export type Job = z.infer<typeof jobSchema> & { identity: RunIdentity };

/** @throws DataError when job.json is there and malformed. */
export async function readJob(folder: string): Promise<Job | undefined> {
  const path = join(folder, JOB_FILE);
  const text = await readTextIfThere(path);
  if (text === undefined) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new DataError(`${path}: not valid JSON (${(cause as Error).message}). Export the job again.`, { cause });
  }
  const parsed = jobSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new DataError(
    `${path}: not the job of rag-ft export: ${describeIssues(parsed.error, "file")}. Export it again.`,
    {
      cause: parsed.error,
    },
  );
}
