import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRandom } from "@rag-ft/core";
import { afterEach, beforeEach, expect, it } from "vitest";
import { LeftOut } from "../left-out.js";
import { type MergePagesOptions, mergePages, noMerged } from "./merge-pages.js";
import { PagesLog } from "./pages-log.js";
import { SpilledOccurrences } from "./spilled-occurrences.js";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "rag-ft-merge-"));
});
afterEach(() => rm(root, { recursive: true }));

const turn = async (): Promise<void> => {};

/** Parts of random pages, many of which stand several times, of few sources. */
async function makeParts(parts: number, files: number): Promise<string[]> {
  const random = createRandom(1);
  const logs = await Promise.all(
    Array.from({ length: parts }, (_, i) =>
      PagesLog.open(join(root, String(i)), join(root, "none"), { madeBy: "test", files: [], turn }),
    ),
  );
  for (let place = 0; place < files; place++) {
    const log = logs[place % parts] as PagesLog;
    const file = { place, file: { path: `/${place}`, source: `${place % 40}.md` } };
    for (let page = random.integer(3); page > 0; page--) {
      const text = random.integer(30);
      const source = random.integer(2) === 0 ? { source: `s${random.integer(5)}` } : {};
      const cuttings = Array.from({ length: random.integer(4) }, () => ({
        content: `Passage ${random.integer(20)} of it.`,
        tokens: random.integer(9),
        headings: [],
      }));
      const hash = text === 0 ? "" : `text ${text}`;
      await log.page(file, {
        file: file.file,
        page: { metadata: {}, ...source },
        hash,
        cuttings,
        leftOut: new LeftOut(),
      });
    }
    await log.end(file, { file: file.file, sha256: "x", included: [], warnings: [], unreadable: false });
  }
  for (const log of logs) await log.close();
  return logs.map(({ path }) => path);
}

it("more than memory holds gives the same passages, figures and numbers", async () => {
  const parts = await makeParts(3, 200);
  const merged = async (more: Partial<MergePagesOptions>) => {
    const folder = join(root, "work");
    await mkdir(folder, { recursive: true });
    const counts = noMerged();
    const all: unknown[] = [];
    for await (const one of mergePages({ parts, files: 200, keys: 900, folder, turn, minWords: 0, ...more }, counts))
      all.push(one);
    return { all, counts: { ...counts, leftOut: counts.leftOut.counts() } };
  };
  const inMemory = await merged({});
  expect(inMemory.counts).toMatchObject({ passages: inMemory.all.length });
  for (const count of ["empty", "identical", "duplicates"] as const) expect(inMemory.counts[count]).toBeGreaterThan(4);
  expect(inMemory.all.length).toBeGreaterThan(50);
  expect(await merged({ mostInMemory: 0, keysTogether: 100 })).toEqual(inMemory);
  expect(await merged({ mostInMemory: 0 })).toEqual(inMemory);
});

it("a part that is not what its record says is an error with its line", async () => {
  const parts = await makeParts(2, 10);
  const read = async (given: Partial<MergePagesOptions>): Promise<void> => {
    const options = { parts, files: 10, keys: 10, folder: root, turn, minWords: 0, ...given };
    for await (const _ of mergePages(options, noMerged()));
  };
  await read({});
  await expect(read({ files: 11 })).rejects.toThrow(
    /pages\.jsonl:\d+: not a shard of prepare-docs .*it ends too early/,
  );
  await expect(read({ parts: [...parts].reverse() })).rejects.toThrow(/of file 1/);
});

it("counts keys in files as in memory", () => {
  const random = createRandom(2);
  const keys = Array.from({ length: 30_000 }, () => `key ${random.integer(4000)}`);
  const counts = new Map<string, number>();
  const expected = keys.map((key) => {
    counts.set(key, (counts.get(key) ?? 0) + 1);
    return counts.get(key);
  });
  const spilled = new SpilledOccurrences(root, "keys", keys.length, 1000);
  spilled.takeDown();
  for (const key of keys) spilled.next(key);
  for (let time = 0; time < 2; time++) {
    spilled.answer();
    expect(keys.map((key) => spilled.next(key))).toEqual(expected);
  }
  expect(() => spilled.next(keys[0] as string)).toThrow(/more keys are asked for/);
  spilled.close();
});
