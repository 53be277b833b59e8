import { execFile, spawn } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { type StageContext, throwIfCancelled, UserError } from "@rag-ft/core";
import type { EngineSettings } from "@rag-ft/train";
import { isSameMinor, PINNED, type PinnedPackage } from "./versions.js";

const VERSIONS = `
import json, sys
from importlib import metadata
found = {}
for name in sys.argv[1:]:
    try: found[name] = metadata.version(name)
    except metadata.PackageNotFoundError: pass
print(json.dumps(found))`;

/** What of the packages this Python lacks, in words; empty when it has all; undefined when there is no such Python. */
async function lacking(
  python: string,
  packages: readonly PinnedPackage[],
  env: StageContext["env"],
): Promise<string[] | undefined> {
  try {
    const { stdout } = await promisify(execFile)(python, ["-c", VERSIONS, ...packages], {
      timeout: 60_000,
      env: env as NodeJS.ProcessEnv,
    });
    const found = JSON.parse(stdout) as Record<string, string>;
    return packages.flatMap((name) => {
      const version = found[name];
      if (version === undefined) return [`${name} is not installed`];
      return isSameMinor(version, PINNED[name]) ? [] : [`${name} is ${version}, expected ${PINNED[name]}`];
    });
  } catch {
    return undefined;
  }
}

/** A Python of this machine that can run the job; undefined, with the reason, when there is none. */
export async function pythonAtHand(
  { engine_python, nnodes }: Pick<EngineSettings, "engine_python" | "nnodes">,
  packages: readonly PinnedPackage[],
  env: StageContext["env"],
): Promise<{ python: string } | { python: undefined; why: string }> {
  if (engine_python === "none") return { python: undefined, why: "engine_python is none" };
  if (nnodes > 1) return { python: undefined, why: `the job is for ${nnodes} machines` };
  // A word is looked up among the programs; a path is one from here, while the job runs in its folder.
  const python =
    engine_python === undefined ? "python3" : /[\\/]/.test(engine_python) ? resolve(engine_python) : engine_python;
  const missing = await lacking(python, packages, env);
  if (missing?.length === 0) return { python };
  const why = missing === undefined ? `${python} does not run` : `of ${python}, ${missing.join(", ")}`;
  if (engine_python !== undefined)
    throw new UserError(
      `engine_python: ${why}. Install what the job's requirements.txt names into it, or give engine_python none to run the job elsewhere.`,
    );
  return { python: undefined, why };
}

/** Runs a job's run.sh; what it prints goes to run.log in its folder, and its last line to whoever waits. Returns whether it ended well. */
export async function runJob(
  folder: string,
  python: string,
  { reporter, signal, env }: StageContext,
): Promise<boolean> {
  throwIfCancelled(signal);
  const progress = reporter.start("the engine's job", 1);
  const child = spawn("bash", ["run.sh"], {
    cwd: folder,
    env: { ...env, PYTHON: python } as NodeJS.ProcessEnv,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  // torchrun's processes are the shell's children: all of them are stopped together.
  const stop = (): void => {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGTERM");
  };
  signal.addEventListener("abort", stop, { once: true });
  try {
    const show = (chunk: Buffer): void => {
      const line = chunk
        .toString()
        .trim()
        .split(/[\r\n]/)
        .at(-1);
      if (line) progress.update(0, line.slice(0, 60));
    };
    child.stdout.on("data", show);
    child.stderr.on("data", show);
    const code = await new Promise<number | null>((done, failed) => {
      child.on("error", failed);
      child.on("close", done);
    });
    throwIfCancelled(signal);
    return code === 0;
  } finally {
    signal.removeEventListener("abort", stop);
    progress.stop();
  }
}
