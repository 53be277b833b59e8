import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { UserError } from "./errors.js";
import { withFolderLock } from "./folder-lock.js";

let folder: string;
/** The number of a process that has ended. */
const dead = spawnSync(process.execPath, ["--version"]).pid;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-lock-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function lockedBy(owner: unknown): Promise<void> {
  await mkdir(join(folder, ".lock"), { recursive: true });
  await writeFile(join(folder, ".lock/owner.json"), JSON.stringify(owner));
}
const since = "2026-01-02T03:04:05.000Z";

it("names its process while it works, and leaves nothing", async () => {
  const result = await withFolderLock(folder, async () =>
    JSON.parse(await readFile(join(folder, ".lock/owner.json"), "utf8")),
  );
  expect(result).toMatchObject({ pid: process.pid, host: hostname() });
  expect(await readdir(folder)).toEqual([]);
});

it("is released when the work fails, and a folder made for nothing goes", async () => {
  const inner = join(folder, "a");
  await expect(withFolderLock(inner, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(await readdir(folder)).toEqual([]);
  await expect(
    withFolderLock(inner, () => writeFile(join(inner, "b"), "")).then(() => readdir(inner)),
  ).resolves.toEqual(["b"]);
});

it("refuses a second run of this process, and one beside a living process", async () => {
  await withFolderLock(folder, async () => {
    const second = withFolderLock(join(folder, "..", basename(folder)), async () => {});
    await expect(second).rejects.toBeInstanceOf(UserError);
    await expect(second).rejects.toThrow(`in use by process ${process.pid} on ${hostname()}`);
  });
  await lockedBy({ pid: process.ppid, host: hostname(), since });
  const beside = withFolderLock(folder, async () => {});
  await expect(beside).rejects.toThrow(`in use by process ${process.ppid} on ${hostname()}, since ${since}`);
  await expect(beside).rejects.toThrow(/output_dir.* remove .*\.lock/);
  expect(await readdir(folder)).toEqual([".lock"]);
});

it("refuses beside another machine's process, or another container's, while it gives signs of life", async () => {
  const space = await readlink("/proc/self/ns/pid").catch(() => "");
  for (const owner of [{ host: "elsewhere" }, { host: hostname(), space: `not ${space}` }]) {
    await lockedBy({ pid: dead, since, ...owner });
    const path = join(folder, ".lock/owner.json");
    const alive = setInterval(() => utimes(path, new Date(), new Date()).catch(() => {}), 100);
    const beside = withFolderLock(folder, async () => {}, { silence: 600 });
    await expect(beside).rejects.toThrow(`process ${dead} on ${owner.host}`);
    clearInterval(alive);
    expect(await readdir(folder)).toEqual([".lock"]);
    // A container that was killed and started again: what it was before is silent from now on.
    const before = performance.now();
    await withFolderLock(folder, async () => {}, { silence: 600 });
    expect(performance.now() - before).toBeLessThan(5000);
    expect(await readdir(folder)).toEqual([]);
  }
});

it("takes at once what another machine has left untouched for long", async () => {
  await lockedBy({ pid: dead, host: "elsewhere", since });
  const longAgo = new Date(Date.now() - 60_000);
  await utimes(join(folder, ".lock/owner.json"), longAgo, longAgo);
  const before = performance.now();
  await withFolderLock(folder, async () => {});
  expect(performance.now() - before).toBeLessThan(5000);
});

it("touches its lock while it works", async () => {
  const touches = await withFolderLock(
    folder,
    async () => {
      const path = join(folder, ".lock/owner.json");
      const { mtimeMs: first } = await stat(path);
      await wait(300);
      expect(JSON.parse(await readFile(path, "utf8"))).toMatchObject({ pid: process.pid });
      return (await stat(path)).mtimeMs - first;
    },
    { touch: 20 },
  );
  expect(touches).toBeGreaterThan(100);
});

it("stops when another has taken its lock, which it leaves alone", async () => {
  const work = withFolderLock(
    folder,
    async (signal) => {
      await lockedBy({ pid: 7, host: "elsewhere", since });
      await wait(20_000, undefined, { signal });
    },
    { touch: 20 },
  );
  await expect(work).rejects.toThrow(`has lost its lock to process 7 on elsewhere, since ${since}`);
  await expect(work).rejects.toBeInstanceOf(UserError);
  expect(await readFile(join(folder, ".lock/owner.json"), "utf8")).toContain("elsewhere");
});

it("stops when its lock is gone for long, also work that does not listen", async () => {
  const work = withFolderLock(
    folder,
    async () => {
      await rm(join(folder, ".lock"), { recursive: true });
      await wait(300);
    },
    { touch: 20, silence: 60 },
  );
  await expect(work).rejects.toThrow(/\.lock was removed; it stops/);
});

it("hands the caller's stop on", async () => {
  const stop = new AbortController();
  const work = withFolderLock(folder, (signal) => wait(20_000, undefined, { signal }), stop);
  stop.abort();
  await expect(work).rejects.toMatchObject({ name: "AbortError" });
  expect(await readdir(folder)).toEqual([]);
});

it("lets go when the process exits in between", async () => {
  const before = process.listeners("exit");
  await withFolderLock(folder, async () => {
    const added = process.listeners("exit").filter((listener) => !before.includes(listener));
    expect(await readdir(folder)).toEqual([".lock"]);
    for (const listener of added) listener(0);
    expect(await readdir(folder)).toEqual([]);
  });
  expect(process.listeners("exit")).toEqual(before);
});

it("is had by one alone of many machines that find the same silent lock", async () => {
  await lockedBy({ pid: dead, host: "elsewhere", since });
  const machines: (typeof withFolderLock)[] = [];
  for (let i = 0; i < 6; i++) {
    vi.resetModules();
    vi.doMock("node:os", async (original) => ({ ...(await original<object>()), hostname: () => `machine-${i}` }));
    machines.push((await import("./folder-lock.js")).withFolderLock);
  }
  let [working, most] = [0, 0];
  const work = async (): Promise<void> => {
    most = Math.max(most, ++working);
    await wait(600);
    working--;
  };
  const results = await Promise.allSettled(machines.map((lock) => lock(folder, work, { touch: 20, silence: 300 })));
  vi.doUnmock("node:os");
  expect(most).toBe(1);
  const refusals = results.flatMap((result) => (result.status === "rejected" ? [String(result.reason)] : []));
  expect(refusals).toEqual(Array(5).fill(expect.stringMatching(/in use by process \d+ on machine-\d/)));
  expect(await readdir(folder)).toEqual([]);
});

it("takes over what a process left that has ended, or that had our number", async () => {
  for (const pid of [dead, process.pid]) {
    await lockedBy({ pid, host: hostname(), since });
    expect(await withFolderLock(folder, () => readFile(join(folder, ".lock/owner.json"), "utf8"))).not.toContain(since);
    expect(await readdir(folder)).toEqual([]);
  }
});
