import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CancelledError, createDocument, DataError, type Reporter, silentReporter, UserError } from "@rag-ft/core";
import { createWordEncoder } from "@rag-ft/test-utils";
import { afterEach, beforeEach, expect, test } from "vitest";
import { denseRetriever } from "./dense-retriever.js";
import { encoderFolder } from "./kept/index-root.js";
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

/** Opens the index at `folder`/index; gives the texts that had to be embedded. */
async function embedded(used = documents, fingerprint = "one"): Promise<string[]> {
  const encoder = createWordEncoder(words, { fingerprint });
  const index = await openIndex(used, encoder, { indexPath: join(folder, "index"), reporter, signal });
  // Whatever was kept, all vectors are those of a fresh index.
  const fresh = await openIndex(used, createWordEncoder(words), { reporter, signal });
  const ids = [...used.keys()];
  expect(await index.store.vectors(ids)).toEqual(await fresh.store.vectors(ids));
  return encoder.calls.flatMap(({ texts }) => texts);
}

test("an edited passage is embedded alone; another order, fewer passages and a copy cost nothing", async () => {
  expect(await embedded()).toHaveLength(4);
  expect(await embedded([...documents].reverse())).toEqual([]);
  expect(await embedded(documents.slice(1))).toEqual([]);
  expect(await embedded([...documents, ...documents.slice(0, 2)])).toEqual([]);
  const edited = createDocument("query the table", { source: "https://docs.test/3" });
  expect(await embedded([...documents.slice(0, 3), edited])).toEqual([edited.fmt_content]);
  expect(lines.at(-1)).toContain("1 of 4 passages have no vector");
  expect(await embedded()).toEqual([]);
});

test("one folder keeps the vectors of several encoders", async () => {
  expect(await embedded(documents, "one")).toHaveLength(4);
  expect(await embedded(documents, "two")).toHaveLength(4);
  expect(await embedded(documents, "one")).toEqual([]);
  expect(await readdir(join(folder, "index"))).toHaveLength(2);
});

test("damaged vectors are embedded again, and a line says so", async () => {
  const warned: string[] = [];
  reporter = { ...silentReporter, warn: (line) => warned.push(line) };
  await embedded();
  const [inner = ""] = await readdir(join(folder, "index"));
  const [part = ""] = (await readdir(join(folder, "index", inner))).filter((name) => name.endsWith(".part"));
  const path = join(folder, "index", inner, part);
  const bytes = await readFile(path);
  bytes[20] = (bytes[20] ?? 0) ^ 1;
  await writeFile(path, bytes);
  expect(await embedded()).toHaveLength(4);
  expect(warned.at(-1)).toContain("1 damaged files");
  expect(await embedded()).toEqual([]);
});

test.each(["index", "index/own"])("vectors in the layout of version 1 are read where they fit (%s)", async (place) => {
  const fingerprint = place === "index/own" ? "o".repeat(5) : "one";
  const encoder = createWordEncoder(words, { fingerprint });
  const texts = documents.map((document) => document.fmt_content);
  const vectors = await encoder.embed(texts, "passage");
  const at = place === "index" ? join(folder, "index") : encoderFolder(join(folder, "index"), encoder);
  const hash = (...parts: (string | Uint8Array)[]): string =>
    parts.reduce((sum, part) => sum.update(part), createHash("sha256")).digest("hex");
  await mkdir(at, { recursive: true });
  await writeFile(join(at, "vectors.f32"), new Uint8Array(vectors.buffer));
  const meta = {
    format: "rag-ft-vectors",
    version: 1,
    encoder: fingerprint,
    passages_sha256: hash(...texts.flatMap((text) => [`${text.length}\n`, text])),
    passages: 4,
    dimensions: words.length,
    vectors_sha256: hash(new Uint8Array(vectors.buffer)),
  };
  await writeFile(join(at, "meta.json"), JSON.stringify(meta));
  // One of another encoder is no obstacle.
  if (place === "index") expect(await embedded(documents, "two")).toHaveLength(4);
  expect(await embedded(documents, fingerprint)).toEqual([]);
  expect(await embedded(documents.slice(2), fingerprint)).toEqual([]);
});

test("work that stops in the middle goes on where it was", async () => {
  const many = Array.from({ length: 1200 }, (_, i) =>
    createDocument(`${words[i % 4]} ${"x".repeat(i % 50)} ${i}`, { source: "s" }),
  );
  const encoder = createWordEncoder(words);
  const stop = new AbortController();
  const stopped = {
    ...encoder,
    embed: async (...call: Parameters<typeof encoder.embed>): Promise<Float32Array> => {
      if (encoder.calls.length === 1) stop.abort();
      return encoder.embed(...call);
    },
  };
  const indexPath = join(folder, "index");
  await expect(openIndex(many, stopped, { indexPath, reporter, signal: stop.signal })).rejects.toThrow(CancelledError);
  expect(encoder.calls.map(({ texts }) => texts.length)).toEqual([512, 176]);
  const started: number[] = [];
  const watched = {
    ...reporter,
    start: (_label: string, total: number, from = 0) => {
      started.push(total, from);
      return { update() {}, stop() {} };
    },
  };
  const again = createWordEncoder(words);
  const index = await openIndex(many, again, { indexPath, reporter: watched, signal });
  expect(again.calls.map(({ texts }) => texts.length)).toEqual([512]);
  expect(started.slice(0, 2)).toEqual([1200, 688]);
  const fresh = await openIndex(many, createWordEncoder(words), { reporter, signal });
  const ids = [...many.keys()];
  expect(await index.store.vectors(ids)).toEqual(await fresh.store.vectors(ids));
});

test("what each request of a paid encoder gave is kept at once", async () => {
  const encoder = { ...createWordEncoder(words), textsPerCall: 2 };
  const failing = {
    ...encoder,
    embed: async (...call: Parameters<typeof encoder.embed>): Promise<Float32Array> => {
      if (encoder.calls.length === 1) throw new UserError("no money left");
      return encoder.embed(...call);
    },
  };
  const indexPath = join(folder, "index");
  await expect(openIndex(documents, failing, { indexPath, reporter, signal })).rejects.toThrow("no money left");
  const later = { ...createWordEncoder(words), textsPerCall: 2 };
  await openIndex(documents, later, { indexPath, reporter, signal });
  expect(later.calls.map(({ texts }) => texts.length)).toEqual([2]);
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

test("where it is known how few questions will be asked, no graph is built, however many the passages", async () => {
  const options = { reporter, signal, approximateAbove: 2 };
  const kindOf = async (more: { questions?: number }): Promise<string> =>
    (await openIndex(documents, createWordEncoder(words), { ...options, ...more })).store.kind;
  expect(await kindOf({ questions: 2999 })).toBe("memory");
  expect(await kindOf({})).toBe("hnsw");
});
