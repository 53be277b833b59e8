import { createDocument, silentReporter } from "@rag-ft/core";
import { createWordEncoder } from "@rag-ft/test-utils";
import { expect, test } from "vitest";
import { PAYS_FROM_QUESTIONS } from "./open-index.js";
import { openRetriever } from "./open-retriever.js";
import type { RetrievalSettings } from "./retrieval-settings.js";
import { VECTOR_STORES } from "./stores/vector-stores.js";

// The encoder knows colours only.
const documents = ["red lamp", "green wall", "blue lamp", "red wall"].map((text) =>
  createDocument(text, { source: "s" }),
);

async function idsOf(settings: RetrievalSettings) {
  const encoder = createWordEncoder(["red", "green", "blue"]);
  let closed = 0;
  const retriever = await openRetriever(documents, {
    settings,
    model: "words",
    openEncoder: async () => ({ ...encoder, close: async () => void closed++ }),
    env: {},
    reporter: silentReporter,
    signal: new AbortController().signal,
  });
  const [found] = await retriever.retrieve(["red wall"], 4);
  await retriever.close();
  return { ids: found?.ids, weight: retriever.bm25Weight, calls: encoder.calls.length, closed };
}

test("each kind finds what it can; BM25 opens no encoder", async () => {
  // Vectors: 0 and 3 share "red". Words: 3 shares both, 1 as rare a word as 0; 2 shares none.
  expect(await idsOf({ retrieval: "dense" })).toMatchObject({ ids: [0, 3, 1, 2], calls: 2, closed: 1 });
  expect(await idsOf({ retrieval: "bm25" })).toMatchObject({ ids: [3, 0, 1], calls: 0, closed: 0 });
  expect(await idsOf({ retrieval: "hybrid" })).toEqual({ ids: [3, 0, 1, 2], weight: 0.5, calls: 2, closed: 1 });
  expect((await idsOf({ retrieval: "hybrid", bm25_weight: 0 })).ids).toEqual([0, 3, 1, 2]);
});

test("an encoder whose database cannot be embedded is closed", async () => {
  let closed = 0;
  const encoder = { ...createWordEncoder(["red"]), close: async () => void closed++ };
  const broken = { ...encoder, embed: () => Promise.reject(new Error("out of memory")) };
  const opened = openRetriever(documents, {
    settings: { retrieval: "hybrid" },
    model: "words",
    openEncoder: async () => broken,
    env: {},
    reporter: silentReporter,
    signal: new AbortController().signal,
  });
  await expect(opened).rejects.toThrow(/out of memory/);
  expect(closed).toBe(1);
});

test("a graph is built where so many questions are asked of so many passages that it pays, and never for hybrid search", async () => {
  const many = Array.from({ length: 10_001 }, (_, i) => createDocument(`lamp ${i}`, { source: "s" }));
  const hnsw = { missing: async () => undefined, open: () => Promise.reject(new Error("a graph")) };
  const kindOf = (questions: number, retrieval: RetrievalSettings["retrieval"] = "dense", passages = many) =>
    openRetriever(passages, {
      settings: retrieval === "hybrid" ? { retrieval, bm25_weight: 0.5 } : { retrieval },
      model: "words",
      openEncoder: async () => createWordEncoder(["red"]),
      env: {},
      reporter: silentReporter,
      signal: new AbortController().signal,
      questions,
      stores: { ...VECTOR_STORES, hnsw },
    }).then(
      () => "exact",
      (error: Error) => error.message,
    );
  expect(await kindOf(PAYS_FROM_QUESTIONS)).toBe("a graph");
  expect(await kindOf(PAYS_FROM_QUESTIONS - 1)).toBe("exact");
  expect(await kindOf(PAYS_FROM_QUESTIONS, "dense", many.slice(1))).toBe("exact");
  expect(await kindOf(PAYS_FROM_QUESTIONS, "hybrid")).toBe("exact");
});
