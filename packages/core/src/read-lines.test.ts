import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readLines } from "./read-lines.js";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-lines-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function linesOf(content: string | Uint8Array): Promise<string[]> {
  const path = join(folder, "file");
  await writeFile(path, content);
  const lines: string[] = [];
  for await (const line of readLines(path)) lines.push(line);
  return lines;
}

it("ends lines at line feeds alone", async () => {
  expect(await linesOf("a\u2028b\u2029c\u0085d\re\r\nf\n\ng")).toEqual(["a\u2028b\u2029c\u0085d\re", "f", "", "g"]);
  expect(await linesOf("")).toEqual([]);
  expect(await linesOf("a\n")).toEqual(["a"]);
});

it("puts lines together that are longer than what is read at once, characters of several bytes too", async () => {
  const long = "日本語".repeat(700_000);
  expect(await linesOf(`x\n${long}\ny`)).toEqual(["x", long, "y"]);
});

it("names the line that is not UTF-8", async () => {
  await expect(linesOf(Buffer.from([97, 10, 0xff, 0xfe, 10]))).rejects.toThrow(/file:2: not UTF-8/);
});
