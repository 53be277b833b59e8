// Own code, since proper-lockfile 4.1.2 (2021) removes a stale lock by its path: of two processes that found the same one, the second removed the
// first's new lock, and both worked for 5 s. Its lock cannot say either whose it is, and it compares two machines' clocks.
//
// 1. A lock appears whole, by renaming; so does it go, and what was taken away is looked at before it is thrown away.
// 2. Its owner touches it again and again. A process of this machine is asked for directly; one that nothing is known of, on another machine or in
//    another container, is gone once its lock was not touched for long.
// 3. An owner that finds another's lock in the place of its own stops.
import { readlinkSync, rmSync } from "node:fs";
import { type FileHandle, mkdir, open, readFile, rename, rm, rmdir, stat, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
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

/** How often an owner touches its lock, and after how long without it is taken for gone (milliseconds). */
const TOUCH = 5000;
const SILENCE = 15_000;

export interface FolderLockOptions {
  /** Stops the work. */
  signal?: AbortSignal;
  /** How often the lock is touched, and after how long without a process that cannot be asked for is gone: milliseconds, shorter in tests. */
  touch?: number;
  silence?: number;
}

const ownerSchema = z.object({ pid: z.number(), host: z.string(), space: z.string().optional(), since: z.string() });
type Owner = z.infer<typeof ownerSchema>;

/** Folders that this process holds. Its number alone does not tell: a later process may get the same. */
const held = new Map<string, Owner>();

/** Processes of one number space (containers have their own, Linux names them) can be asked for; empty where there is but one. */
function processSpace(): string {
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    return "";
  }
}

const me = (): Owner => ({
  pid: process.pid,
  host: hostname(),
  space: processSpace(),
  since: new Date().toISOString(),
});

const isSame = (one: Owner | undefined, other: Owner): boolean => JSON.stringify(one) === JSON.stringify(other);

/** Whether the process that made a lock is gone; undefined when it cannot be asked for. */
function isGone({ pid, host, space }: Owner): boolean | undefined {
  if (host !== hostname() || (space !== undefined && space !== processSpace())) return undefined;
  return pid === process.pid || !isAlive(pid);
}

async function readOwner(lock: string): Promise<Owner | undefined> {
  try {
    return ownerSchema.parse(JSON.parse(await readFile(join(lock, OWNER), "utf8")));
  } catch {
    return undefined;
  }
}

/** When a lock was touched last, by the clock of its file system; NaN when it is not there. */
async function touchedAt(lock: string): Promise<number> {
  return stat(join(lock, OWNER)).then(
    ({ mtimeMs }) => mtimeMs,
    () => Number.NaN,
  );
}

/** Whether a lock is not touched for as long as its owner, alive, would not leave it. `mine` was written just now. */
async function isSilent(lock: string, mine: string, silence: number): Promise<boolean> {
  const touched = await touchedAt(lock);
  const look = silence / 30;
  for (let age = (await touchedAt(mine)) - touched; age < silence; age += look) {
    await wait(look);
    if ((await touchedAt(lock)) !== touched) return false;
  }
  return !Number.isNaN(touched);
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
  if (found && !isSame(found, seen)) await renameNew(aside, lock);
  await rm(aside, { recursive: true, force: true });
}

const named = ({ pid, host, since }: Owner): string => `process ${pid} on ${host}, since ${since}`;

function inUse(folder: string, owner?: Owner): UserError {
  return new UserError(
    `${folder}: in use by ${owner ? named(owner) : "another process"}; two runs at once would spoil each other's files. Wait for it, or give another output_dir. ` +
      `If it no longer runs, remove ${join(folder, LOCK)}.`,
  );
}

async function take(folder: string, owner: Owner, silence: number): Promise<void> {
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
      if (isGone(other) ?? (await isSilent(lock, mine, silence))) await takeAway(lock, other);
      else if (isSame(await readOwner(lock), other)) throw inUse(folder, other);
    }
    throw inUse(folder);
  } finally {
    await rm(mine, { recursive: true, force: true });
  }
}

/** Touches a lock until it is told to stop; calls `lose` once when the lock is no longer its owner's. */
function keepTouching(
  lock: string,
  file: FileHandle,
  owner: Owner,
  { touch = TOUCH, silence = SILENCE }: FolderLockOptions,
  lose: (other: Owner | undefined) => void,
): () => Promise<void> {
  const text = JSON.stringify(owner);
  let seen = performance.now();
  let lost = false;
  let touching: Promise<void> = Promise.resolve();
  const touchOnce = async (): Promise<void> => {
    const found = await readOwner(lock);
    const now = performance.now();
    if (isSame(found, owner)) seen = now;
    else if (found || now - seen > silence) {
      lost = true;
      return lose(found);
    }
    // The same bytes: the file system sets the time, by its own clock. A disk that fails for a moment is tried again.
    await file.write(text, 0).catch(() => {});
  };
  const timer = setInterval(() => {
    touching = touching.then(() => (lost ? undefined : touchOnce()));
  }, touch);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await touching;
  };
}

/** Does `work` while the lock is held, and takes the lock away afterwards if it still is. */
async function workHolding<T>(
  folder: string,
  owner: Owner,
  options: FolderLockOptions,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const lock = join(folder, LOCK);
  const lost = new AbortController();
  const file = await open(join(lock, OWNER), "r+");
  const stop = keepTouching(lock, file, owner, options, (other) => {
    lost.abort(
      new UserError(
        `${folder}: this run has lost its lock${other ? ` to ${named(other)}, which took it for dead` : `, ${lock} was removed`}; it stops, since two runs ` +
          "at once would spoil each other's files. Start it again when no other works there, or give another output_dir.",
      ),
    );
  });
  const onExit = (): void => {
    if (!lost.signal.aborted) rmSync(lock, { recursive: true, force: true });
  };
  process.on("exit", onExit);
  const { signal } = options;
  try {
    const result = await work(signal ? AbortSignal.any([signal, lost.signal]) : lost.signal);
    lost.signal.throwIfAborted();
    return result;
  } catch (error) {
    throw lost.signal.aborted ? lost.signal.reason : error;
  } finally {
    process.off("exit", onExit);
    await stop();
    await file.close();
    if (!lost.signal.aborted) await removeFolderAtomic(lock);
  }
}

/**
 * Does `work` while no other process does work on the same folder, which is made if need be. What a killed process left locked is taken
 * over: at once when it ran on this machine, else when it has given no sign of life for 15 s. `work` gets a signal that also stops it when
 * another process has taken the lock.
 *
 * @throws UserError naming the process that holds the folder, or that took it.
 */
export async function withFolderLock<T>(
  folder: string,
  work: (signal: AbortSignal) => Promise<T>,
  options: FolderLockOptions = {},
): Promise<T> {
  const key = resolve(folder);
  const other = held.get(key);
  if (other) throw inUse(folder, other);
  const owner = me();
  held.set(key, owner);
  try {
    const made = await mkdir(folder, { recursive: true }).catch((cause) => {
      throw new UserError(`${folder}: cannot be made a folder. Give output_dir another path.`, { cause });
    });
    await take(folder, owner, options.silence ?? SILENCE);
    try {
      return await workHolding(folder, owner, options, work);
    } finally {
      // A run that failed before it wrote anything leaves no folder behind.
      if (made !== undefined) await rmdir(folder).catch(() => {});
    }
  } finally {
    held.delete(key);
  }
}
