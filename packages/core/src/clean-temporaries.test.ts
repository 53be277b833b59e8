import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { writeFolderAtomic } from "./atomic.js";
import { cleanTemporaries } from "./clean-temporaries.js";
import { parseTemporaryName, temporaryName } from "./temporary-names.js";

let folder: string;
/** The number of a process that has ended. */
const dead = spawnSync(process.execPath, ["--version"]).pid;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-clean-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function put(path: string, text: string): Promise<void> {
  await mkdir(join(folder, path, ".."), { recursive: true });
  await writeFile(join(folder, path), text);
}

it("removes half-written files and folders of processes that ended, at two levels", async () => {
  await put(`.model.onnx.${dead}-0a1b2c3d.tmp`, "half");
  await put(`.checkpoint-4.${dead}-0a1b2c3d.tmp/model.safetensors`, "half");
  await put(`onnx/.model.onnx.${process.pid}-0a1b2c3d.tmp`, "half, of an earlier process with our number");
  await put("onnx/model.onnx", "whole");
  await put(".hidden.tmp", "somebody else's");
  await cleanTemporaries(folder);
  expect((await readdir(folder, { recursive: true })).sort()).toEqual([".hidden.tmp", "onnx", "onnx/model.onnx"]);
});

it("leaves what a living process writes", async () => {
  const name = `.a.json.${process.ppid}-0a1b2c3d.tmp`;
  await put(name, "half");
  await cleanTemporaries(folder);
  expect(await readdir(folder)).toEqual([name]);
});

it("leaves what was written to just now, where other machines write", async () => {
  const [old, fresh] = [`.a.part.${dead}-0a1b2c3d.tmp`, `.b.part.${dead}-0a1b2c3d.tmp`];
  await put(old, "half");
  await put(fresh, "half");
  await utimes(join(folder, old), 1, 1);
  await cleanTemporaries(folder, 60_000);
  expect(await readdir(folder)).toEqual([fresh]);
});

it("puts a folder back that was moved away when the new one did not come in its place", async () => {
  await put(`.a.${dead}-0a1b2c3d.tmp.old/text`, "old a");
  await put(`.a.${dead}-0a1b2c3d.tmp/text`, "new a");
  await put(`.b.${dead}-0a1b2c3d.tmp.old/text`, "old b");
  await put("b/text", "new b");
  await cleanTemporaries(folder);
  expect((await readdir(folder)).sort()).toEqual(["a", "b"]);
  expect(await readFile(join(folder, "a/text"), "utf8")).toBe("old a");
  expect(await readFile(join(folder, "b/text"), "utf8")).toBe("new b");
});

it("knows the names that atomic writes make, and a missing folder is clean", async () => {
  let seen: string[] = [];
  await writeFolderAtomic(join(folder, "checkpoint-3"), async (temporary) => {
    seen = await readdir(folder);
    expect(temporary).toContain(seen[0]);
  });
  expect(seen.map(parseTemporaryName)).toEqual([{ target: "checkpoint-3", pid: process.pid, replaced: false }]);
  expect(parseTemporaryName(temporaryName("/x/.y.tmp").slice("/x/".length))?.target).toBe(".y.tmp");
  await cleanTemporaries(join(folder, "none"));
});
