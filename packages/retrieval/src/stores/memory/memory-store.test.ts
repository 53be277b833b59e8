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
