import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CancelledError, createDocument, type Document, type Reporter, silentReporter, UserError } from "@rag-ft/core";
import { createWordEncoder } from "@rag-ft/test-utils";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { denseRetriever } from "../dense-retriever.js";
import { hybridRetriever } from "../hybrid-retriever.js";
import { openIndex } from "../open-index.js";
import { openKeptStore } from "../open-kept-store.js";
import type { PassageEncoder } from "../passage-encoder.js";
import type { KeptStoreKind } from "../store-settings.js";
import { testPlaces } from "./testing/test-places.js";

// What stores that keep their vectors have beyond the contract of all stores: what was written is found again, and nothing half-written is taken for
// whole.

const colours = ["red", "green", "blue", "white"];
const things = ["lamp", "wall", "door", "roof", "chair", "table", "window", "floor"];
const documents = Array.from({ length: 1100 }, (_, i) =>
  createDocument(`${colours[i % 4]} ${things[i % 8]} number ${i}`, { source: `page-${i % 3}`, even: i % 2 === 0 }),
);
const signal = new AbortController().signal;
const places = await testPlaces();
afterAll(() => places.close());

let lines: string[] = [];
const reporter: Reporter = {
  ...silentReporter,
  info: (line) => void lines.push(line),
  warn: (line) => void lines.push(line),
};

/** Each test has an encoder of its own: its tables are no other's. */
let encoders = 0;
const fresh = () => ({ ...createWordEncoder(colours), fingerprint: `encoder ${++encoders} of ${process.pid}` });
const textsOf = ({ calls }: ReturnType<typeof createWordEncoder>): string[] =>
  calls.filter(({ kind }) => kind === "passage").flatMap(({ texts }) => [...texts]);

let folder: string;
beforeEach(async () => {
  lines = [];
  folder = await mkdtemp(join(tmpdir(), "rag-ft-kept-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe.each(places.all)("$name", ({ name, kind, row, url, missing, sessions }) => {
  const open = (passages: readonly Document[], encoder: PassageEncoder, indexPath?: string, stop = signal) =>
    openKeptStore(passages, encoder, { kind: kind as KeptStoreKind, row, url, indexPath, reporter, signal: stop });

  test.skipIf(missing === undefined)("is not tested here", () => {
    console.warn(`${name}: ${missing}`);
  });

  describe.skipIf(missing !== undefined)("", () => {
    test("what was written is found again, by the same passages and the same encoder alone", async () => {
      const encoder = fresh();
      await (await open(documents, encoder)).close();
      expect(textsOf(encoder)).toHaveLength(1100);
      const store = await open(documents, encoder);
      expect(textsOf(encoder)).toHaveLength(1100);
      expect(store.size).toBe(1100);
      expect(lines.at(-1)).toMatch(/has all 1100 passages/);
      expect(await store.documents([7, 1099])).toEqual([documents[7], documents[1099]]);
      await store.close();
      const other = fresh();
      await (await open(documents, other)).close();
      expect(textsOf(other)).toHaveLength(1100);
    });

    test("a writer that fails leaves nothing that is taken for whole; the next goes on", async () => {
      const encoder = fresh();
      const failing: PassageEncoder = {
        ...encoder,
        textsPerCall: 400,
        embed: async (...call) => {
          if (encoder.calls.length === 2) throw new UserError("no money left");
          return encoder.embed(...call);
        },
      };
      await expect(open(documents, failing)).rejects.toThrow("no money left");
      const made = textsOf(encoder);
      expect(made).toHaveLength(700);
      // Another process may look meanwhile: it does not take it for whole either.
      const store = await open(documents, { ...encoder, textsPerCall: 400 });
      expect(lines.join("\n")).toMatch(/400 of 1100 passages are missing in an unfinished table/);
      expect(new Set(textsOf(encoder)).size).toBe(1100);
      expect(textsOf(encoder)).toHaveLength(1100);
      expect(store.size).toBe(1100);
      await store.close();
    });

    test("stops on the signal, and goes on", async () => {
      const encoder = fresh();
      const stop = new AbortController();
      const stopped: PassageEncoder = {
        ...encoder,
        embed: async (...call) => {
          stop.abort();
          return encoder.embed(...call);
        },
      };
      await expect(open(documents, stopped, undefined, stop.signal)).rejects.toThrow(CancelledError);
      await (await open(documents, encoder)).close();
      expect(textsOf(encoder)).toHaveLength(1100);
    });

    test("after an edit, what is new alone is embedded; vectors of an index are taken over", async () => {
      const encoder = fresh();
      await (await open(documents, encoder)).close();
      const edited = [createDocument("white chair, new", { source: "new" }), ...documents.slice(10)];
      const store = await open(edited, encoder);
      expect(textsOf(encoder).slice(1100)).toEqual([edited[0]?.fmt_content]);
      const before = await open(documents, encoder);
      expect(await store.vectors([1, 1090])).toEqual(await before.vectors([10, 1099]));
      await store.close();
      await before.close();

      const indexed = fresh();
      await openIndex(documents, indexed, { indexPath: folder, reporter, signal });
      const taken = await open(documents, indexed, folder);
      expect(textsOf(indexed)).toHaveLength(1100);
      await taken.close();
    });

    test("equal texts are embedded once", async () => {
      const encoder = fresh();
      const twice = [...documents.slice(0, 5), ...documents.slice(0, 5)];
      const store = await open(twice, encoder);
      expect(textsOf(encoder)).toHaveLength(5);
      expect(await store.vectors([8])).toEqual(await store.vectors([3]));
      await store.close();
    });

    test("an empty database is whole", async () => {
      const store = await open([], fresh());
      expect(await store.search(new Float32Array(4), { limit: 3 })).toMatchObject([{ ids: new Int32Array(0) }]);
      await store.close();
    });

    test("hybrid search takes the store's words: a number that one passage has is found first, within a filter too", async () => {
      const encoder = fresh();
      const store = await open(documents, encoder);
      const hybrid = hybridRetriever({ documents, store }, encoder, 1);
      const [found] = await hybrid.retrieve(["number 1003"], 3);
      expect(found?.ids[0]).toBe(1003);
      const [even] = await hybrid.retrieve(["number 1003 lamp"], 3, { filter: { even: true } });
      expect(even?.ids).toHaveLength(3);
      expect(even?.ids.every((id) => id % 2 === 0)).toBe(true);
      // No word at all, and characters that mean something to a parser.
      for (const odd of ["???", "it's \\ & | ! ( 'x' : * 1003"]) {
        const [ranked] = await hybrid.retrieve([odd], 2);
        expect(ranked?.ids).toHaveLength(2);
      }
      const [words] = (await store.words?.(["roof 1003"], { limit: 5 })) ?? [];
      expect(words?.ids[0]).toBe(1003);
      expect(words?.scores[0]).toBeGreaterThan(words?.scores[1] as number);
      const [none] = (await store.words?.(["zebra"], { limit: 5 })) ?? [];
      expect(none?.ids).toHaveLength(0);
      await store.close();
    });

    test("metadata with quotes and backslashes is filtered by its value", async () => {
      const odd = ["it's", "a\\b", '"q"', "ü, ☃", "a' OR 1=1 --"];
      const passages = odd.map((value, i) => createDocument(`lamp ${i}`, { source: value, [value]: i }));
      const encoder = fresh();
      const store = await open(passages, encoder);
      const dense = denseRetriever({ documents: passages, store }, encoder);
      for (const [i, value] of odd.entries()) {
        const [bySource] = await dense.retrieve(["red"], 9, { filter: { source: value } });
        expect(bySource?.ids).toEqual([i]);
        const [byKey] = await dense.retrieve(["red"], 9, { filter: { [value]: [i, "x"] } });
        expect(byKey?.ids).toEqual([i]);
      }
      await store.close();
    });

    test.skipIf(!sessions)("two at once write one table", async () => {
      const encoder = fresh();
      const settled = await Promise.allSettled([open(documents, encoder), open(documents, encoder)]);
      const stores = settled.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
      expect(stores.length).toBeGreaterThan(0);
      for (const one of settled) if (one.status === "rejected") expect(String(one.reason)).toMatch(/in use by process/);
      for (const store of stores) {
        expect(store.size).toBe(1100);
        await store.close();
      }
      const again = await open(documents, encoder);
      expect(again.size).toBe(1100);
      await again.close();
    });
  });
});
