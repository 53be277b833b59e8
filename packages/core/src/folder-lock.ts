import { mkdir, readFile, rename, rm, rmdir, stat, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import { z } from "zod";
import { removeFolderAtomic } from "./atomic.js";
import { isAlive } from "./clean-temporaries.js";
import { UserError } from "./errors.js";
import { temporaryName } from "./temporary-names.js";

/**
 * A folder that stands in another while a process writes there; its one file says which. A folder, since renaming one onto another that is
 * not empty fails on every file system: the lock appears whole, and only once.
 */
const LOCK = ".lock";
const OWNER = "owner.json";

const ownerSchema = z.object({ pid: z.number(), host: z.string(), since: z.string() });
type Owner = z.infer<typeof ownerSchema>;

/** Folders that this process holds. Its number alone does not tell: a later process may get the same. */
const held = new Map<string, Owner>();

const me = (): Owner => ({ pid: process.pid, host: hostname(), since: new Date().toISOString() });

/** Whether the process that made a lock is gone. Of another machine's nothing is known. */
function isStale({ pid, host }: Owner): boolean {
  return host === hostname() && (pid === process.pid || !isAlive(pid));
}

async function readOwner(lock: string): Promise<Owner | undefined> {
  try {
    return ownerSchema.parse(JSON.parse(await readFile(join(lock, OWNER), "utf8")));
  } catch {
    return undefined;
  }
}

/** Renames a folder unless something is at its new place. */
async function renameNew(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    const isThere = await stat(to).then(
      () => true,
      () => false,
    );
    const { code = "" } = error as NodeJS.ErrnoException;
    // Released meanwhile, it is no longer there: that too is for the caller to try again.
    if (isThere || code === "ENOTEMPTY" || code === "EEXIST") return false;
    throw error;
  }
}

/** Takes away the lock of a process that is gone. Another may have taken it over at the same moment: then its lock goes back. */
async function takeAway(lock: string, seen: Owner): Promise<void> {
  const aside = temporaryName(lock);
  try {
    await rename(lock, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  const found = await readOwner(aside);
  if (found && JSON.stringify(found) !== JSON.stringify(seen)) await renameNew(aside, lock);
  await rm(aside, { recursive: true, force: true });
}

function inUse(folder: string, owner?: Owner): UserError {
  const who = owner ? `process ${owner.pid} on ${owner.host}, since ${owner.since}` : "another process";
  return new UserError(
    `${folder}: in use by ${who}; two runs at once would spoil each other's files. Wait for it, or give another output_dir. ` +
      `If it no longer runs, remove ${join(folder, LOCK)}.`,
  );
}

async function take(folder: string, owner: Owner): Promise<void> {
  const lock = join(folder, LOCK);
  const mine = temporaryName(lock);
  await mkdir(mine);
  try {
    await writeFile(join(mine, OWNER), JSON.stringify(owner));
    // A second time after a stale lock was taken away, a third after one was released in between.
    for (let attempt = 0; attempt < 3; attempt++) {
      if (await renameNew(mine, lock)) return;
      const other = await readOwner(lock);
      if (!other) continue;
      if (!isStale(other)) throw inUse(folder, other);
      await takeAway(lock, other);
    }
    throw inUse(folder);
  } finally {
    await rm(mine, { recursive: true, force: true });
  }
}

/**
 * Does `work` while no other process does work on the same folder, which is made if need be. What a killed process left locked is taken
 * over when it ran on this machine.
 *
 * @throws UserError naming the process that holds the folder.
 */
export async function withFolderLock<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const key = resolve(folder);
  const other = held.get(key);
  if (other) throw inUse(folder, other);
  const owner = me();
  held.set(key, owner);
  try {
    const made = await mkdir(folder, { recursive: true }).catch((cause) => {
      throw new UserError(`${folder}: cannot be made a folder. Give output_dir another path.`, { cause });
    });
    await take(folder, owner);
    try {
      return await work();
    } finally {
      await removeFolderAtomic(join(folder, LOCK));
      // A run that failed before it wrote anything leaves no folder behind.
      if (made !== undefined) await rmdir(folder).catch(() => {});
    }
  } finally {
    held.delete(key);
  }
}
