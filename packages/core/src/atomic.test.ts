import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  copyFileAtomic,
  linkFileAtomic,
  removeFolderAtomic,
  writeChunksAtomic,
  writeFileAtomic,
  writeFolderAtomic,
  writeJsonAtomic,
} from "./atomic.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-atomic-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

describe("writeFileAtomic", () => {
  it("makes folders, replaces the file and leaves nothing beside it", async () => {
    const path = join(folder, "a", "b.json");
    await writeFileAtomic(path, "old");
    await writeJsonAtomic(path, { new: true });
    expect(await readFile(path, "utf8")).toBe('{\n  "new": true\n}\n');
    expect(await readdir(join(folder, "a"))).toEqual(["b.json"]);
  });

  it("names the file when the disk is full, and leaves nothing of it", async () => {
    async function* full(): AsyncGenerator<string> {
      yield "half";
      throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
    }
    const path = join(folder, "large");
    await expect(writeChunksAtomic(path, full())).rejects.toMatchObject({ code: "ENOSPC", path });
    expect(await readdir(folder)).toEqual([]);
  });

  it("leaves no temporary file when the place is taken by a folder", async () => {
    await mkdir(join(folder, "taken", "inside"), { recursive: true });
    await expect(writeFileAtomic(join(folder, "taken"), "text")).rejects.toThrow();
    expect(await readdir(folder)).toEqual(["taken"]);
    expect(await readdir(join(folder, "taken"))).toEqual(["inside"]);
  });
});

describe("copyFileAtomic and removeFolderAtomic", () => {
  it("copy over what is there, remove all, and leave nothing beside it", async () => {
    await writeFileAtomic(join(folder, "a/from"), "new");
    await writeFileAtomic(join(folder, "b/to"), "old");
    await copyFileAtomic(join(folder, "a/from"), join(folder, "b/to"));
    expect(await readFile(join(folder, "b/to"), "utf8")).toBe("new");
    expect(await readdir(join(folder, "b"))).toEqual(["to"]);
    await expect(copyFileAtomic(join(folder, "none"), join(folder, "b/to"))).rejects.toThrow("ENOENT");
    expect(await readdir(join(folder, "b"))).toEqual(["to"]);
    await removeFolderAtomic(join(folder, "a"));
    await removeFolderAtomic(join(folder, "a"));
    expect(await readdir(folder)).toEqual(["b"]);
  });
});

describe("linkFileAtomic", () => {
  it("takes the place of what is there, twice too, shares the bytes, and lets a later file take its place alone", async () => {
    const [from, to] = [join(folder, "a/from"), join(folder, "b/to")];
    await writeFileAtomic(from, "new");
    await writeFileAtomic(to, "old");
    for (let time = 0; time < 2; time++) {
      await linkFileAtomic(from, to);
      expect((await stat(to)).ino).toBe((await stat(from)).ino);
      expect(await readdir(join(folder, "b"))).toEqual(["to"]);
    }
    await writeFileAtomic(to, "later");
    expect(await readFile(from, "utf8")).toBe("new");
    await expect(linkFileAtomic(join(folder, "none"), to)).rejects.toThrow("ENOENT");
    expect(await readFile(to, "utf8")).toBe("later");
  });
});

describe("writeFolderAtomic", () => {
  it("replaces the folder whole: no file of the old one stays", async () => {
    const path = join(folder, "checkpoint");
    await writeFolderAtomic(path, (temporary) => writeFile(join(temporary, "old.bin"), "1"));
    await writeFolderAtomic(path, (temporary) => writeFile(join(temporary, "new.bin"), "2"));
    expect(await readdir(path)).toEqual(["new.bin"]);
    expect(await readdir(folder)).toEqual(["checkpoint"]);
  });

  it("keeps the old folder as it was until the new one is complete, and when writing fails", async () => {
    const path = join(folder, "checkpoint");
    await writeFolderAtomic(path, (temporary) => writeFile(join(temporary, "weights"), "old"));
    const failing = writeFolderAtomic(path, async (temporary) => {
      await writeFile(join(temporary, "weights"), "half");
      expect(await readFile(join(path, "weights"), "utf8")).toBe("old");
      throw new Error("disk full");
    });
    await expect(failing).rejects.toThrow("disk full");
    expect(await readFile(join(path, "weights"), "utf8")).toBe("old");
    expect(await readdir(folder)).toEqual(["checkpoint"]);
  });
});
