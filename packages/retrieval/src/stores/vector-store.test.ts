import { createDocument, createRandom, type Document, hashText, silentReporter } from "@rag-ft/core";
import { afterAll, describe, expect, test } from "vitest";
import type { Ranked } from "../best-passages.js";
import { fitsFilter, type MetadataFilter } from "../metadata-filter.js";
import { testPlaces } from "./testing/test-places.js";
import type { VectorStore } from "./vector-store.js";
import { VECTOR_STORES } from "./vector-stores.js";

// The contract of every store. What is expected is the plain definition: score everything, sort by score, then by the place in the database.

const DIMENSIONS = 6;
const SIZE = 90;
const COLOURS = ["red", "green", "blue"];

const random = createRandom(3);
const vectors = Float32Array.from({ length: SIZE * DIMENSIONS }, () => random.next() * 2 - 1);
// Doubled passages make real ties.
vectors.copyWithin(60 * DIMENSIONS, 0, 20 * DIMENSIONS);
const queries = Float32Array.from({ length: 5 * DIMENSIONS }, () => random.next() * 2 - 1);
const documents = Array.from({ length: SIZE }, (_, i) =>
  createDocument(`passage ${i}`, {
    source: `page-${i % 4}`,
    ...(i % 10 === 9 ? {} : { colour: COLOURS[i % 3] }),
    year: 2000 + (i % 5),
    draft: i % 2 === 0,
  }),
);

function scoreOf(query: number, passage: number): number {
  let score = 0;
  for (let i = 0; i < DIMENSIONS; i++)
    score += (vectors[passage * DIMENSIONS + i] as number) * (queries[query * DIMENSIONS + i] as number);
  return score;
}

/** The places of all passages that fit, best first, for each query. */
function expected(fits: (document: Document) => boolean = () => true): number[][] {
  return Array.from({ length: queries.length / DIMENSIONS }, (_, q) =>
    documents
      .flatMap((document, id) => (fits(document) ? [id] : []))
      .sort((a, b) => scoreOf(q, b) - scoreOf(q, a) || a - b),
  );
}

const idsOf = (found: readonly Ranked[]): number[][] => found.map(({ ids }) => [...ids]);

/** A store under the contract: its name, why it cannot be opened here, and an empty one. */
interface Case {
  name: string;
  kind: string;
  missing: string | undefined;
  open(): Promise<VectorStore>;
}

const places = await testPlaces();
afterAll(() => places.close());

const cases: Case[] = [];
for (const [kind, row] of Object.entries(VECTOR_STORES))
  cases.push({ name: kind, kind, missing: await row.missing(), open: () => row.open({ dimensions: DIMENSIONS }) });
let tables = 0;
for (const { name, kind, row, url, missing } of places.all)
  cases.push({
    ...{ name, kind, missing },
    open: () =>
      row.open({
        ...{ url: url ?? "", dimensions: DIMENSIONS, passages: SIZE },
        encoder: hashText("an encoder"),
        documents: hashText(`list ${++tables}`),
      }),
  });

describe.each(cases)("store $name", ({ name, kind, missing, open }) => {
  const options = { reporter: silentReporter, signal: new AbortController().signal };

  async function opened<T>(use: (store: VectorStore) => Promise<T>): Promise<T> {
    const store = await open();
    try {
      await store.add(documents, vectors, options);
      return await use(store);
    } finally {
      await store.close();
    }
  }

  test.skipIf(missing === undefined)("is not tested here, and says why", async () => {
    console.warn(`${name}: ${missing}`);
    await expect(open()).rejects.toThrow();
  });

  describe.skipIf(missing !== undefined)("", () => {
    test("finds the best passages with their scores, equal ones by the lower place", () =>
      opened(async (store) => {
        expect(store).toMatchObject({ kind, size: SIZE, dimensions: DIMENSIONS });
        const found = await store.search(queries, { limit: SIZE });
        expect(idsOf(found)).toEqual(expected());
        found.forEach(({ ids, scores }, q) => {
          expect([...scores]).toEqual(Array.from(ids, (id) => scoreOf(q, id)));
        });
        // Twenty passages have a double of the same score.
        expect(new Set(found[0]?.scores).size).toBe(SIZE - 20);
      }));

    test("pages put together are one deep search, with a filter too", () =>
      opened(async (store) => {
        for (const filter of [undefined, { colour: ["red", "blue"] }]) {
          const whole = await store.search(queries, { limit: SIZE, filter });
          for (const limit of [1, 7, 40]) {
            const pages: number[][] = Array.from({ length: 5 }, () => []);
            for (let offset = 0; offset < SIZE + limit; offset += limit)
              (await store.search(queries, { limit, offset, filter })).forEach(({ ids, scores }, q) => {
                expect(ids.length).toBeLessThanOrEqual(limit);
                expect(scores).toHaveLength(ids.length);
                pages[q]?.push(...ids);
              });
            expect(pages).toEqual(idsOf(whole));
          }
        }
      }));

    test("a filter leaves the passages that fit, ranked as without it", () =>
      opened(async (store) => {
        const filters: MetadataFilter[] = [
          { source: "page-1" },
          { colour: ["red", "green"], draft: true },
          { year: 2003, source: ["page-0", "page-2", "nowhere"] },
          { colour: "pink" },
          { colour: [] },
          { unknown: "red" },
          { year: "2003" },
          {},
        ];
        const sizes = [];
        for (const filter of filters) {
          const found = await store.search(queries, { limit: SIZE, filter });
          expect(idsOf(found)).toEqual(expected(({ metadata }) => fitsFilter(metadata, filter)));
          sizes.push(found[0]?.ids.length);
        }
        expect(sizes).toEqual([23, 30, 9, 0, 0, 0, 0, SIZE]);
      }));

    test("passages added in parts are numbered in the order they came", async () => {
      const store = await open();
      expect(idsOf(await store.search(queries, { limit: 3 }))).toEqual([[], [], [], [], []]);
      for (const [from, to] of [
        [0, 1],
        [1, 50],
        [50, 50],
        [50, SIZE],
      ] as const)
        await store.add(documents.slice(from, to), vectors.slice(from * DIMENSIONS, to * DIMENSIONS), options);
      expect(store.size).toBe(SIZE);
      expect(idsOf(await store.search(queries, { limit: 12 }))).toEqual(expected().map((ids) => ids.slice(0, 12)));
      await store.close();
    });

    test("gives passages and their vectors by place, in the order asked for", () =>
      opened(async (store) => {
        expect(await store.documents([70, 3, 3])).toEqual([documents[70], documents[3], documents[3]]);
        const row = (id: number) => [...vectors.subarray(id * DIMENSIONS, (id + 1) * DIMENSIONS)];
        expect([...(await store.vectors([70, 3]))]).toEqual([...row(70), ...row(3)]);
        expect(await store.documents([])).toEqual([]);
        await expect(store.documents([SIZE])).rejects.toThrow(/is not there/);
        await expect(store.vectors([-1])).rejects.toThrow(/is not there/);
      }));

    test("gives all scores exactly, if it gives them at all", () =>
      opened(async (store) => {
        const scores = await store.scores?.(queries);
        for (const [q, own] of (scores ?? []).entries())
          expect([...own]).toEqual(documents.map((_, id) => scoreOf(q, id)));
        expect(scores?.length ?? 5).toBe(5);
      }));

    test("refuses what does not fit", () =>
      opened(async (store) => {
        await expect(store.add(documents.slice(0, 2), vectors.slice(0, 3), options)).rejects.toThrow(/dimensions/);
        await expect(store.search(queries.slice(1), { limit: 1 })).rejects.toThrow(/dimensions/);
        await expect(store.search(queries, { limit: -1 })).rejects.toThrow(/limit, found -1/);
        await expect(store.search(queries, { limit: 1, offset: 0.5 })).rejects.toThrow(/offset, found 0.5/);
        expect(store.size).toBe(SIZE);
      }));
  });
});
