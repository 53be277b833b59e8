import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isWithin, pathKind, readTextIfThere } from "./paths.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-paths-"));
  await writeFile(join(folder, "a.txt"), "text");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it("tells files, folders and what is neither", async () => {
  await symlink(join(folder, "a.txt"), join(folder, "link"));
  await symlink(join(folder, "none"), join(folder, "broken"));
  const kinds = await Promise.all(["a.txt", ".", "link", "broken", "none"].map((name) => pathKind(join(folder, name))));
  expect(kinds).toEqual(["file", "folder", "file", undefined, undefined]);
});

it("reads a file, takes one that is not there for undefined, and fails on a folder", async () => {
  expect(await readTextIfThere(join(folder, "a.txt"))).toBe("text");
  expect(await readTextIfThere(join(folder, "none"))).toBeUndefined();
  expect(await readTextIfThere(join(folder, "a.txt", "none"))).toBeUndefined();
  await expect(readTextIfThere(folder)).rejects.toThrow(/EISDIR/);
});

describe("isWithin", () => {
  it("compares whole path segments", () => {
    expect(isWithin("a/b/c", "a/b")).toBe(true);
    expect(isWithin("a/b", "a/b/")).toBe(true);
    expect(isWithin("a/bc", "a/b")).toBe(false);
    expect(isWithin("a", "a/b")).toBe(false);
  });
});
