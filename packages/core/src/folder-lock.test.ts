import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
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

it("knows nothing of another machine's processes", async () => {
  await lockedBy({ pid: dead, host: "elsewhere", since });
  await expect(withFolderLock(folder, async () => {})).rejects.toThrow(`process ${dead} on elsewhere`);
});

it("takes over what a process left that has ended, or that had our number", async () => {
  for (const pid of [dead, process.pid]) {
    await lockedBy({ pid, host: hostname(), since });
    expect(await withFolderLock(folder, () => readFile(join(folder, ".lock/owner.json"), "utf8"))).not.toContain(since);
    expect(await readdir(folder)).toEqual([]);
  }
});
