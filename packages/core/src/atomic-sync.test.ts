import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, relative } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

/** What reached the disk for good, and what was renamed, in order. */
let events: string[] = [];
let folder: string;

vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof import("node:fs/promises")>();
  const nameOf = (path: unknown): string =>
    (relative(folder, String(path)) || ".").replace(/\.\d+-[0-9a-f]{8}\.tmp/, ".tmp");
  return {
    ...real,
    open: async (path: string, flags: string) => {
      const file = await real.open(path, flags);
      const sync = file.sync.bind(file);
      file.sync = () => {
        events.push(`sync ${nameOf(path)}`);
        return sync();
      };
      return file;
    },
    rename: (from: string, to: string) => {
      events.push(`rename ${nameOf(from)} ${nameOf(to)}`);
      return real.rename(from, to);
    },
  };
});

const { copyFileAtomic, writeFileAtomic, writeFolderAtomic } = await import("./atomic.js");

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-sync-"));
  events = [];
});
afterEach(() => rm(folder, { recursive: true }));

it("has a file's content on the disk before its name, and the name before it returns", async () => {
  await writeFileAtomic(join(folder, "a"), "x");
  await copyFileAtomic(join(folder, "a"), join(folder, "b"));
  const steps = (name: string): string[] => [`sync .${name}.tmp`, `rename .${name}.tmp ${name}`, "sync ."];
  expect(events).toEqual([...steps("a"), ...steps("b")]);
  expect(await readFile(join(folder, "b"), "utf8")).toBe("x");
});

it("has all files and folders of a folder on the disk before the folder's name", async () => {
  await writeFolderAtomic(join(folder, "f"), async (temporary) => {
    expect(basename(temporary)).toMatch(/^\.f\./);
    await mkdir(join(temporary, "inner"));
    await writeFile(join(temporary, "inner/a"), "x");
    await writeFile(join(temporary, "b"), "y");
  });
  const placed = events.indexOf("rename .f.tmp f");
  expect(
    events
      .slice(0, placed)
      .filter((event) => event.startsWith("sync"))
      .sort(),
  ).toEqual(["sync .f.tmp", "sync .f.tmp/b", "sync .f.tmp/inner", "sync .f.tmp/inner/a"]);
  expect(events.slice(placed + 1)).toEqual(["sync ."]);
});
