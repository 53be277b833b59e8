import { createDocument, createRandom, silentReporter } from "@rag-ft/core";
import { expect, test } from "vitest";
import { MemoryStore } from "../memory/memory-store.js";
import { HnswStore, loadHnswLibrary } from "./hnsw-store.js";

const SIZE = 2000;
const D = 16;

function randomUnits(count: number, seed: number): Float32Array {
  const random = createRandom(seed);
  const vectors = Float32Array.from({ length: count * D }, () => random.next() * 2 - 1);
  for (let p = 0; p < count; p++) {
    const row = vectors.subarray(p * D, (p + 1) * D);
    const length = Math.hypot(...row);
    row.forEach((value, i) => {
      row[i] = value / length;
    });
  }
  return vectors;
}

const Graph = await loadHnswLibrary();

test("an optional library that is not there is not an error", async () => {
  expect(await loadHnswLibrary("a-package-that-nobody-installed")).toBeUndefined();
});

test.skipIf(Graph === undefined)("the graph finds what exact search finds (skipped without hnswlib-node)", async () => {
  if (Graph === undefined) return;
  const documents = Array.from({ length: SIZE }, (_, i) => createDocument(`${i}`, { source: "s" }));
  const vectors = randomUnits(SIZE, 3);
  const queries = randomUnits(20, 4);
  const [graph, exact] = [new HnswStore(Graph, D), new MemoryStore(D)];
  await graph.add(documents, vectors, { reporter: silentReporter });
  await exact.add(documents, vectors);
  expect(await graph.search(queries, { limit: 4 })).toEqual(await exact.search(queries, { limit: 4 }));
  expect(await graph.search(queries, { limit: 4, offset: 4 })).toEqual(
    await exact.search(queries, { limit: 4, offset: 4 }),
  );
  expect(await graph.scores(queries)).toEqual(await exact.scores(queries));
});

test.skipIf(Graph === undefined)("building stops on the signal", async () => {
  if (Graph === undefined) return;
  const stopped = new HnswStore(Graph, D).add([createDocument("a", { source: "s" })], randomUnits(1, 1), {
    signal: AbortSignal.abort(),
  });
  await expect(stopped).rejects.toThrow();
});
