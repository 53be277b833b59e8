import { copyFile, mkdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { hashFile, writeJsonAtomic } from "@rag-ft/core";

/** What another engine left, without it. */
export interface FakeResult {
  /** Files of the result's folder and where they lie. */
  files: Readonly<Record<string, string>>;
  step: number;
  log: readonly Record<string, unknown>[];
  versions?: Record<string, string>;
}

/** Writes what a job's run.sh leaves, as job.py finish does, without Python. */
export async function writeEngineResult(
  job: string,
  { files, step, log, versions }: FakeResult,
  folder = join(job, "result"),
): Promise<void> {
  const { id, packages } = JSON.parse(await readFile(join(job, "job.json"), "utf8"));
  await mkdir(folder, { recursive: true });
  const hashed = [];
  for (const [path, from] of Object.entries(files)) {
    await copyFile(from, join(folder, path));
    hashed.push({ path, bytes: (await stat(from)).size, sha256: await hashFile(from) });
  }
  await writeJsonAtomic(join(folder, "result.json"), {
    ...{ job: id, step, versions: versions ?? { ...packages, torch: "2.15.0" }, files: hashed, log },
  });
}
