import { createHash } from "node:crypto";
import { chmod, mkdir, readdir, readFile, realpath, rename, stat } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import {
  hashFile,
  hashText,
  linkFileAtomic,
  pathKind,
  withoutSecrets,
  writeFileAtomic,
  writeFolderAtomic,
  writeJsonAtomic,
  writeJsonl,
} from "@rag-ft/core";
import type { RunIdentity } from "@rag-ft/train";
import { PINNED, type PinnedPackage } from "../versions.js";
import { type HashedFile, JOB_FILE, type Job, RESULT_FOLDER } from "./job-file.js";
import { jobReadme, type Launch, requirements, runScript, skyTask } from "./job-texts.js";

/** A file of a job: rows of JSON lines, a text, or one that lies elsewhere. */
export type JobContent = { rows: Iterable<unknown> } | { text: string } | { from: string };

/** A training, ready to be handed to an engine. */
export interface JobPlan {
  engine: string;
  stage: string;
  settings: Readonly<Record<string, unknown>>;
  identity: RunIdentity;
  base: Job["base"];
  /** Of the optimizer. */
  steps: number;
  /** Needed to run, and held to their versions. */
  packages: readonly PinnedPackage[];
  /** Needed to run besides; not looked at. */
  further: readonly PinnedPackage[];
  files: ReadonlyMap<string, JobContent>;
  /** Writes what it makes itself: files of a folder of its own, by its name. */
  folders?: Readonly<Record<string, (folder: string) => Promise<void>>>;
  launch: Launch;
  accelerators: string;
}

/** Hash of all that decides a job's result. */
export function jobId(identity: RunIdentity): string {
  return hashText(JSON.stringify(identity)).slice(0, 16);
}

/** One hash of files, by their names in it and their contents. */
export async function hashFilesOf(folder: string, names: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const name of [...names].sort()) hash.update(`${name}\n${await hashFile(join(folder, name))}\n`);
  return hash.digest("hex");
}

async function hashed(folder: string, path: string): Promise<HashedFile> {
  const whole = join(folder, path);
  return { path, bytes: (await stat(whole)).size, sha256: await hashFile(whole) };
}

/** All files of a folder, by their paths in it with slashes. */
export async function filesWithin(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .sort();
}

async function writeContent(path: string, content: JobContent): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  if ("rows" in content) await writeJsonl(path, content.rows);
  else if ("text" in content) await writeFileAtomic(path, content.text);
  // Of a link, what it leads to.
  else await linkFileAtomic(await realpath(content.from), path);
}

const asset = (name: string): Promise<string> => readFile(new URL(`../../assets/${name}`, import.meta.url), "utf8");

/** A program of Python that goes into a job's folder. */
export async function programOf(name: string): Promise<JobContent> {
  return { text: await asset(name) };
}

/** Moves away what another job left: a result may have cost days. */
async function keepAside(folder: string): Promise<string | undefined> {
  if ((await pathKind(join(folder, RESULT_FOLDER))) !== "folder") return undefined;
  for (let number = 1; ; number++) {
    const aside = `${folder}-before-${number}`;
    if ((await pathKind(aside)) !== undefined) continue;
    await rename(folder, aside);
    return aside;
  }
}

/**
 * Writes a job's folder, whole or not at all; `job.json` holds the hashes of its files. One of another job there is replaced, or, with a result, moved
 * aside: then its new place is returned.
 */
export async function writeJob(folder: string, plan: JobPlan): Promise<{ movedTo: string | undefined }> {
  const movedTo = await keepAside(folder);
  const { engine, stage, launch } = plan;
  const texts: [string, string][] = [
    ["run.sh", runScript(launch)],
    ["requirements.txt", requirements([...plan.packages, ...plan.further])],
    ["sky.yaml", skyTask(`rag-ft-${stage}`, launch, plan.accelerators)],
    ["README.md", jobReadme(engine, stage, folder, plan.packages)],
    ["job.py", await asset("job.py")],
  ];
  await writeFolderAtomic(folder, async (temporary) => {
    const all = new Map<string, JobContent>([...plan.files, ...texts.map(([name, text]) => [name, { text }] as const)]);
    const files: HashedFile[] = [];
    for (const [path, content] of all) {
      await writeContent(join(temporary, path), content);
      files.push(await hashed(temporary, path));
    }
    for (const [name, fill] of Object.entries(plan.folders ?? {})) {
      await fill(join(temporary, name));
      for (const path of await filesWithin(join(temporary, name)))
        files.push(await hashed(temporary, `${name}/${path}`));
    }
    await chmod(join(temporary, "run.sh"), 0o755);
    const job: Job = {
      ...{ id: jobId(plan.identity), engine, stage, settings: withoutSecrets(plan.settings) },
      working_directory: process.cwd(),
      ...{ identity: plan.identity, base: plan.base, steps: plan.steps },
      packages: Object.fromEntries(plan.packages.map((name) => [name, PINNED[name]])),
      files,
    };
    await writeJsonAtomic(join(temporary, JOB_FILE), job);
  });
  return { movedTo };
}
