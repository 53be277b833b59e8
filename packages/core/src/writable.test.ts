import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { UserError } from "./errors.js";
import { requireWritable } from "./writable.js";

let refused: string | undefined;
vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof import("node:fs/promises")>();
  return {
    ...real,
    access: async (path: string, mode?: number) => {
      if (refused === undefined) return real.access(path, mode);
      throw Object.assign(new Error(`${refused}: access`), { code: refused });
    },
  };
});

let folder = "";
beforeEach(async () => {
  refused = undefined;
  folder = await mkdtemp(join(tmpdir(), "rag-ft-writable-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test("a folder that is not there yet is good where one above it can be written, and is not made", async () => {
  await requireWritable(join(folder, "deep", "er"), "save_dir");
  await requireWritable(folder, "save_dir");
  expect(await readdir(folder)).toEqual([]);
});

test("a read-only file system is one sentence that names folder, reason and setting", async () => {
  refused = "EROFS";
  const wanted = join(folder, "out");
  const refusal = requireWritable(wanted, "save_dir");
  await expect(refusal).rejects.toThrow(UserError);
  await expect(refusal).rejects.toThrow(
    `${wanted}: nothing can be written there: ${folder}: the file system is read-only. Give save_dir another path.`,
  );
});

test("a file in the way is named", async () => {
  await writeFile(join(folder, "file"), "");
  await mkdir(join(folder, "other"));
  await expect(requireWritable(join(folder, "file"), "out")).rejects.toThrow(
    /file is a file, where a folder is expected/,
  );
  await expect(requireWritable(join(folder, "file", "deep"), "out")).rejects.toThrow(/a part of the path is a file/);
});
