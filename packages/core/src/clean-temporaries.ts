import { readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { parseTemporaryName } from "./temporary-names.js";

/** Whether a process of this machine runs. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/**
 * Removes what killed processes left behind in a folder and in its direct subfolders: half-written files and folders of the functions in
 * `atomic.ts`. A folder that was about to be replaced goes back to its place. Call it before anything is written there: a
 * temporary with the number of this process is one of an earlier process. Those of other living processes stay.
 *
 * @param quiet - what was written to in these last milliseconds stays, too: where processes of other machines, which cannot be asked for, write
 */
export async function cleanTemporaries(folder: string, quiet = 0): Promise<void> {
  await cleanFolder(folder, quiet);
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await cleanFolder(join(folder, entry.name), quiet);
}

/** Whether something was written to in the last milliseconds; what is gone was not. */
async function isFresh(path: string, quiet: number): Promise<boolean> {
  return stat(path).then(
    ({ mtimeMs }) => Date.now() - mtimeMs < quiet,
    () => false,
  );
}

async function cleanFolder(folder: string, quiet: number): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const temporary = parseTemporaryName(name);
    if (!temporary || (temporary.pid !== process.pid && isAlive(temporary.pid))) continue;
    if (quiet > 0 && (await isFresh(join(folder, name), quiet))) continue;
    const target = join(folder, temporary.target);
    if (temporary.replaced && !(await isThere(target))) await rename(join(folder, name), target);
    else await rm(join(folder, name), { recursive: true, force: true });
  }
}
