import { CancelledError, createDocument, createRandom } from "@rag-ft/core";
import { expect, test } from "vitest";
import { MemoryStore } from "./memory-store.js";

const random = createRandom(8);
const numbers = (count: number): Float32Array => Float32Array.from({ length: count }, () => random.next() - 0.5);
const documents = Array.from({ length: 50 }, (_, i) => createDocument(`passage ${i}`, { source: "s" }));

test("a search that lets others work in between finds the same, and can be stopped", async () => {
  const [vectors, queries] = [numbers(50 * 3), numbers(11 * 3)];
  const whole = new MemoryStore(3);
  const cut = new MemoryStore(3, 1);
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
  const store = new MemoryStore(d, 700 * d * 6);
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
  const store = new MemoryStore(3, 1);
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
