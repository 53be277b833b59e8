import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDocument, createRandom, DataError, hashText } from "@rag-ft/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type StoreTable, tableName } from "../kept-store.js";
import { MemoryStore } from "../memory/memory-store.js";
import { loadLanceDb } from "./lancedb-library.js";
import { lanceDbRow } from "./lancedb-row.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-lance-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const D = 8;
const tableOf = (passages: number): StoreTable => ({
  ...{ url: folder, encoder: hashText("e"), documents: hashText("d"), dimensions: D, passages },
});
const documentsOf = (count: number) =>
  Array.from({ length: count }, (_, i) => createDocument(`p ${i}`, { source: "s" }));

test("without the library a sentence says what to install", async () => {
  const row = lanceDbRow({ load: async () => undefined });
  expect(await row.missing()).toMatch(/npm install @lancedb\/lancedb/);
  await expect(row.open(tableOf(1))).rejects.toThrow(/npm install @lancedb\/lancedb@\S+ apache-arrow/);
});

test("wants a folder", () => {
  expect(() => lanceDbRow().check(undefined)).toThrow(/none is named.*--vector_store_url FOLDER/);
  expect(() => lanceDbRow().check("postgresql://a@b/c")).toThrow(/found a URL/);
});

describe.skipIf((await loadLanceDb()) === undefined)("with the library", () => {
  const row = lanceDbRow();

  test("a folder that cannot be made is named", async () => {
    await writeFile(join(folder, "file"), "");
    const opened = row.open({ ...tableOf(1), url: join(folder, "file") });
    await expect(opened).rejects.toThrow(/vector_store_url: .*file cannot be made or opened as a folder/);
  });

  test("a table that nobody described, or that is of another model, is refused and stays", async () => {
    const table = tableOf(2);
    const store = await row.open(table);
    await store.add(documentsOf(2), new Float32Array(2 * D));
    await store.finish();
    await store.close();
    const mark = join(folder, `${tableName(table)}.json`);
    // The same beginning of the hash: what the file says counts, not the name.
    const other = { ...table, encoder: `${table.encoder.slice(0, 40)}${"0".repeat(24)}` };
    await expect(row.open(other)).rejects.toThrow(/expected encoder .*found .*of another model/);
    await expect(row.open({ ...table, dimensions: 4 })).rejects.toThrow(/expected dimensions 4, found 8/);
    await writeFile(mark, "{}");
    await expect(row.open(table)).rejects.toThrow(DataError);
    await rm(mark);
    await expect(row.open(table)).rejects.toThrow(/has no rag_ft_\w+\.json beside it/);
    expect(await readdir(folder)).toEqual([`${tableName(table)}.lance`]);
  });

  test("a table that lost rows after it was whole is not taken for whole", async () => {
    const table = tableOf(3);
    const store = await row.open(table);
    await store.add(documentsOf(3), new Float32Array(3 * D));
    await store.finish();
    await store.close();
    await rm(join(folder, `${tableName(table)}.lance`), { recursive: true });
    const again = await row.open(table);
    expect(again.whole).toBe(false);
    expect(await again.missing()).toEqual([0, 1, 2]);
    await again.close();
  });

  test("a table is not whole while passages are missing", async () => {
    const store = await row.open(tableOf(3));
    await store.add(documentsOf(2), new Float32Array(2 * D));
    await expect(store.finish()).rejects.toThrow(/1 passages of 3 are missing/);
    expect((await row.open(tableOf(3))).whole).toBe(false);
    await store.close();
  });

  test("files that vanish in the middle of the work are a sentence with what to do", async () => {
    const store = await row.open(tableOf(200));
    await store.add(documentsOf(200), new Float32Array(200 * D).fill(0.5));
    const data = join(folder, `${tableName(tableOf(200))}.lance`);
    await rm(data, { recursive: true });
    await mkdir(data);
    // One after the other: a failure that nobody awaits yet would end the process.
    for (const start of [() => store.search(new Float32Array(D), { limit: 3 }), () => store.vectors([5])]) {
      const work = start();
      await expect(work).rejects.toThrow(DataError);
      await expect(work).rejects.toThrow(
        /LanceDB failed while (searching|reading) .*remove the folder, and it is made anew/,
      );
    }
    await store.close();
  });

  test("a graph finds nearly all that exact search finds, with the same scores", async () => {
    const size = 3000;
    const random = createRandom(1);
    const vectors = Float32Array.from({ length: size * D }, () => random.next() * 2 - 1);
    const queries = Float32Array.from({ length: 20 * D }, () => random.next() * 2 - 1);
    const store = await lanceDbRow({ indexAbove: 1000 }).open(tableOf(size));
    const exact = new MemoryStore(D);
    for (const one of [store, exact]) await one.add(documentsOf(size), vectors);
    await store.finish();
    const [found, best] = [await store.search(queries, { limit: 10 }), await exact.search(queries, { limit: 10 })];
    let hits = 0;
    found.forEach(({ ids, scores }, q) => {
      const known = new Map(Array.from(best[q]?.ids ?? [], (id, i) => [id, best[q]?.scores[i]]));
      ids.forEach((id, i) => {
        if (!known.has(id)) return;
        hits++;
        expect(scores[i]).toBe(known.get(id));
      });
    });
    expect(hits / 200).toBeGreaterThan(0.95);
    // Within a filter all that fit are compared.
    const filter = { source: ["s"] };
    expect(await store.search(queries, { limit: 10, filter })).toEqual(best);
    await store.close();
  });
});
