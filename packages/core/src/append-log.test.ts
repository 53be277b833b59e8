import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openAppendLog } from "./append-log.js";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-log-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it("adds lines in the order of the calls, in a folder that it makes", async () => {
  const path = join(folder, "a/b.jsonl");
  const log = await openAppendLog(path);
  await Promise.all([log.add({ n: 1 }), log.add({ n: 2 }), log.add({ n: 3 })]);
  expect(await readFile(path, "utf8")).toBe('{"n":1}\n{"n":2}\n{"n":3}\n');
});

it.each([
  ["half a line goes", '{"n":1}\n{"n":', '{"n":1}\n{"n":9}\n'],
  ["half a file goes", '{"n":', '{"n":9}\n'],
  ["a whole line without its end stays", '{"n":1}', '{"n":1}\n{"n":9}\n'],
])("%s", async (_, before, after) => {
  const path = join(folder, "b.jsonl");
  await writeFile(path, before);
  await (await openAppendLog(path)).add({ n: 9 });
  expect(await readFile(path, "utf8")).toBe(after);
});
