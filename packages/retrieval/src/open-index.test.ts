import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDocument, DataError, type Reporter, silentReporter, UserError } from "@rag-ft/core";
import { createWordEncoder } from "@rag-ft/test-utils";
import { afterEach, beforeEach, expect, test } from "vitest";
import { denseRetriever } from "./dense-retriever.js";
import { openIndex } from "./open-index.js";
import { hnswRow } from "./stores/hnsw/hnsw-store.js";
import { VECTOR_STORES } from "./stores/vector-stores.js";

const words = ["cluster", "job", "table", "query"];
const documents = ["a cluster", "a job on a cluster", "a table", "query a table"].map((text, i) =>
  createDocument(text, { source: `https://docs.test/${i}` }),
);
const signal = new AbortController().signal;

let folder = "";
let lines: string[] = [];
let reporter: Reporter = silentReporter;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-index-"));
  lines = [];
  reporter = { ...silentReporter, info: (line) => lines.push(line) };
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test("passages are embedded by what models see (fmt_content) and searched by inner product", async () => {
  const encoder = createWordEncoder(words);
  const index = await openIndex(documents, encoder, { reporter, signal });
  expect(encoder.calls).toEqual([{ kind: "passage", texts: documents.map((document) => document.fmt_content) }]);
  const [first, second] = await denseRetriever(index, encoder).retrieve(["job cluster", "table"], 2);
  expect(first?.ids).toEqual([1, 0]);
  expect(first?.scores).toEqual([2, 1]);
  expect(second?.ids).toEqual([2, 3]);
  expect(second?.documents).toEqual([documents[2], documents[3]]);
});

test("the second opening reads the vectors and embeds nothing", async () => {
  const indexPath = join(folder, "deep", "index");
  await openIndex(documents, createWordEncoder(words), { indexPath, reporter, signal });
  const encoder = createWordEncoder(words);
  const index = await openIndex(documents, encoder, { indexPath, reporter, signal });
  expect(encoder.calls).toEqual([]);
  expect(lines.at(-1)).toContain("read from the index");
  const [found] = await denseRetriever(index, encoder).retrieve(["query"], 1);
  expect(found?.ids).toEqual([3]);
});

test("a cache of other passages, of another encoder, or damaged is made anew, with a line that says so", async () => {
  const indexPath = join(folder, "index");
  const reopen = async (used = documents, fingerprint = "one"): Promise<number> => {
    const encoder = createWordEncoder(words, { fingerprint });
    await openIndex(used, encoder, { indexPath, reporter, signal });
    return encoder.calls.length;
  };
  expect(await reopen()).toBe(1);
  expect(await reopen()).toBe(0);
  expect(await reopen(documents.slice(1))).toBe(1);
  expect(lines.at(-1)).toContain("it holds other passages");
  expect(await reopen(documents.slice(1), "two")).toBe(1);
  expect(lines.at(-1)).toContain("it was made by another encoder");
  const vectors = await readFile(join(indexPath, "vectors.f32"));
  vectors[3] = (vectors[3] ?? 0) ^ 1;
  await writeFile(join(indexPath, "vectors.f32"), vectors);
  expect(await reopen(documents.slice(1), "two")).toBe(1);
  expect(lines.at(-1)).toContain("damaged");
  expect(await reopen(documents.slice(1), "two")).toBe(0);
});

test("a path that holds something else is refused before any work and stays as it was", async () => {
  const encoder = createWordEncoder(words);
  await writeFile(join(folder, "thesis.txt"), "years of work");
  await expect(openIndex(documents, encoder, { indexPath: folder, reporter, signal })).rejects.toThrow(UserError);
  const file = join(folder, "thesis.txt");
  await expect(openIndex(documents, encoder, { indexPath: file, reporter, signal })).rejects.toThrow(/found a file/);
  await rm(file);
  await writeFile(join(folder, "meta.json"), '{"format":"another"}');
  await expect(openIndex(documents, encoder, { indexPath: folder, reporter, signal })).rejects.toThrow(/meta\.json/);
  expect(await readdir(folder)).toEqual(["meta.json"]);
  expect(encoder.calls).toEqual([]);
});

test("a broken vector is an error that names the passage, and nothing is cached", async () => {
  const encoder = createWordEncoder(words);
  const broken = {
    ...encoder,
    embed: async (texts: readonly string[]): Promise<Float32Array> =>
      new Float32Array(texts.length * 4).fill(Number.NaN, 9, 10),
  };
  const indexPath = join(folder, "index");
  await expect(openIndex(documents, broken, { indexPath, reporter, signal })).rejects.toThrow(DataError);
  await expect(openIndex(documents, broken, { indexPath, reporter, signal })).rejects.toThrow(/passage 3/);
  expect(await readdir(folder)).toEqual([]);
});

test("a large database without hnswlib-node is searched exactly, and a line says so", async () => {
  const stores = { ...VECTOR_STORES, hnsw: hnswRow(async () => undefined) };
  const options = { reporter, signal, approximateAbove: 2, stores };
  const index = await openIndex(documents, createWordEncoder(words), options);
  expect(index.store.kind).toBe("memory");
  expect(lines.at(-1)).toContain("hnswlib-node is not installed");
});
