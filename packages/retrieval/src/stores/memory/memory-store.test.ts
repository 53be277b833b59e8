import { CancelledError, createDocument, createRandom } from "@rag-ft/core";
import { expect, test } from "vitest";
import { MemoryStore } from "./memory-store.js";
import { longestOf, nearestCandidates } from "./nearest-candidates.js";

const random = createRandom(8);
const numbers = (count: number): Float32Array => Float32Array.from({ length: count }, () => random.next() - 0.5);
const documents = Array.from({ length: 50 }, (_, i) => createDocument(`passage ${i}`, { source: "s" }));

test("a search that lets others work in between finds the same, and can be stopped", async () => {
  const [vectors, queries] = [numbers(50 * 3), numbers(11 * 3)];
  const whole = new MemoryStore(3);
  const cut = new MemoryStore(3, { productsATurn: 1 });
  for (const store of [whole, cut]) await store.add(documents, vectors);
  expect(await cut.search(queries, { limit: 7 })).toEqual(await whole.search(queries, { limit: 7 }));
  const stop = new AbortController();
  const stopped = cut.search(queries, { limit: 7 }, { signal: stop.signal });
  stop.abort();
  await expect(stopped).rejects.toThrow(CancelledError);
});

test("searches at the same time find what each finds alone: other depths, pages, filters, numbers of queries", async () => {
  const d = 5;
  const vectors = numbers(700 * d);
  // Doubled passages make real ties.
  vectors.copyWithin(400 * d, 0, 100 * d);
  const passages = Array.from({ length: 700 }, (_, i) => createDocument(`passage ${i}`, { source: `s${i % 3}` }));
  const store = new MemoryStore(d, { productsATurn: 700 * d * 6 });
  await store.add(passages, vectors);
  const searches = Array.from({ length: 40 }, (_, i) => ({
    queries: numbers(((i * 7) % 12) * d),
    page: {
      limit: [3, 10, 700, 0][i % 4] as number,
      offset: i % 5,
      ...(i % 6 === 0 ? { filter: { source: ["s1", "s2"] } } : {}),
    },
  }));
  const together = await Promise.all(searches.map(({ queries, page }) => store.search(queries, page)));
  for (const [i, { queries, page }] of searches.entries())
    expect(together[i]).toEqual(await store.search(queries, page));
  expect(together.flat().length).toBeGreaterThan(100);
});

test("a search that is stopped does not stop those beside it, and a long one does not keep the short ones waiting", async () => {
  const store = new MemoryStore(3, { productsATurn: 1 });
  await store.add(documents, numbers(50 * 3));
  const stop = new AbortController();
  const order: string[] = [];
  const long = store.search(numbers(60 * 3), { limit: 5 }).then(() => order.push("long"));
  const stopped = store.search(numbers(3), { limit: 5 }, { signal: stop.signal });
  const short = store.search(numbers(3), { limit: 5 }).then(() => order.push("short"));
  stop.abort();
  await expect(stopped).rejects.toThrow(CancelledError);
  await Promise.all([long, short]);
  expect(order).toEqual(["short", "long"]);
});

test("a large store finds the same bits by way of candidates, ties and other lengths included", async () => {
  const d = 48;
  const count = 900;
  const vectors = numbers(count * d);
  vectors.copyWithin(600 * d, 0, 200 * d);
  // Nearly equal ones, which single precision cannot tell apart.
  for (let i = 0; i < 50 * d; i++) vectors[(100 + 50) * d + i] = (vectors[100 * d + i] as number) * (1 + 1e-7);
  vectors.fill(0, 800 * d, 810 * d);
  const passages = Array.from({ length: count }, (_, i) => createDocument(`passage ${i}`, { source: `s${i % 3}` }));
  const [large, small] = [new MemoryStore(d, { large: 1 }), new MemoryStore(d)];
  for (const store of [large, small]) await store.add(passages, vectors);
  const queries = Float32Array.from([
    ...numbers(20 * d),
    ...vectors.subarray(100 * d, 110 * d),
    ...new Float32Array(d),
  ]);
  for (const limit of [1, 4, 60, 0, count])
    expect(await large.search(queries, { limit })).toEqual(await small.search(queries, { limit }));
});

test("candidates are all that rounding leaves open, and not many more", async () => {
  const d = 64;
  const vectors = numbers(2_000 * d);
  const query = numbers(d);
  const [found] = await nearestCandidates(query, [10], { vectors, dimensions: d, longest: longestOf(vectors, d) });
  expect(found?.length).toBeGreaterThanOrEqual(10);
  expect(found?.length).toBeLessThan(20);
});
