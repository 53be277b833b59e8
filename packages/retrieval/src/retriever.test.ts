import { createDocument, createRandom } from "@rag-ft/core";
import { createWordEncoder } from "@rag-ft/test-utils";
import { expect, test } from "vitest";
import { bm25Retriever } from "./bm25-retriever.js";
import { denseRetriever } from "./dense-retriever.js";
import { type HybridOptions, hybridRetriever } from "./hybrid-retriever.js";
import { fitsFilter, type MetadataFilter } from "./metadata-filter.js";
import type { Retriever } from "./retriever.js";
import { MemoryStore } from "./stores/memory/memory-store.js";
import type { VectorStore } from "./stores/vector-store.js";

// What every retriever keeps, over texts of few words: many passages have the same score.

const WORDS = ["red", "green", "blue", "grey", "pink", "teal", "wall", "lamp"];
const QUESTIONS = ["red lamp", "green green teal wall", "pink", "nothing known", "blue wall grey"];
const SIZE = 120;

const random = createRandom(8);
const documents = Array.from({ length: SIZE }, (_, i) =>
  createDocument(Array.from({ length: 1 + random.integer(6) }, () => WORDS[random.integer(WORDS.length)]).join(" "), {
    source: `s${i % 3}`,
    year: 2000 + (i % 4),
  }),
);
// It knows half of the words.
const encoder = createWordEncoder(WORDS.slice(0, 4), { similarity: "cosine" });
const store = new MemoryStore(encoder.dimensions);
await store.add(
  documents,
  await encoder.embed(
    documents.map(({ fmt_content }) => fmt_content),
    "passage",
  ),
);

/** The same store without its scores of all passages. */
const candidatesOnly: VectorStore = {
  kind: "candidates",
  size: store.size,
  dimensions: store.dimensions,
  add: () => Promise.reject(new Error("not here")),
  search: (queries, page) => store.search(queries, page),
  documents: (ids) => store.documents(ids),
  vectors: (ids) => store.vectors(ids),
  close: async () => {},
};
const fromCandidates = (options?: HybridOptions): Retriever =>
  hybridRetriever({ documents, store: candidatesOnly }, encoder, 0.7, options);

const RETRIEVERS: Record<string, Retriever> = {
  dense: denseRetriever({ documents, store }, encoder),
  bm25: bm25Retriever(documents),
  hybrid: hybridRetriever({ documents, store }, encoder, 0.7),
  "hybrid from candidates": fromCandidates(),
};
const FILTERS: MetadataFilter[] = [{ source: "s1" }, { source: ["s0", "s2"], year: 2002 }, { source: "nowhere" }];

test.each(Object.entries(RETRIEVERS))("%s: pages put together are one deep search", async (_, retriever) => {
  for (const filter of [undefined, ...FILTERS]) {
    const whole = await retriever.retrieve(QUESTIONS, SIZE, { filter });
    for (const limit of [1, 9, 50]) {
      const pages = QUESTIONS.map(() => ({ ids: [] as number[], scores: [] as number[], documents: [] as unknown[] }));
      for (let offset = 0; offset < SIZE; offset += limit)
        (await retriever.retrieve(QUESTIONS, limit, { offset, filter })).forEach((page, q) => {
          pages[q]?.ids.push(...page.ids);
          pages[q]?.scores.push(...page.scores);
          pages[q]?.documents.push(...page.documents);
        });
      expect(pages).toEqual(whole);
    }
  }
  await expect(retriever.retrieve(QUESTIONS, 1, { offset: -1 })).rejects.toThrow(/offset, found -1/);
});

test.each(Object.entries(RETRIEVERS))(
  "%s: equal scores by the lower place, within a filter too",
  async (_, retriever) => {
    let ties = 0;
    for (const filter of [undefined, ...FILTERS])
      for (const { ids, scores, documents: found } of await retriever.retrieve(QUESTIONS, SIZE, { filter })) {
        expect(found).toEqual(ids.map((id) => documents[id]));
        if (filter) expect(found.every(({ metadata }) => fitsFilter(metadata, filter))).toBe(true);
        ids.slice(1).forEach((id, i) => {
          expect(scores[i]).toBeGreaterThanOrEqual(scores[i + 1] as number);
          if (scores[i] !== scores[i + 1]) return;
          ties++;
          expect(ids[i]).toBeLessThan(id);
        });
      }
    expect(ties).toBeGreaterThan(20);
  },
);

test.each(["dense", "bm25", "hybrid"])("%s: a filter leaves the ranking as it is", async (name) => {
  const retriever = RETRIEVERS[name] as Retriever;
  const whole = await retriever.retrieve(QUESTIONS, SIZE);
  for (const filter of FILTERS) {
    const filtered = await retriever.retrieve(QUESTIONS, SIZE, { filter });
    whole.forEach(({ ids, scores }, q) => {
      const fitting = ids.flatMap((id, place) =>
        fitsFilter((documents[id] as { metadata: { source: string } }).metadata, filter) ? [[id, scores[place]]] : [],
      );
      expect(filtered[q]?.ids.map((id, place) => [id, filtered[q]?.scores[place]])).toEqual(fitting);
    });
  }
});

test("hybrid search from as many candidates as passages is the exact one, bit for bit", async () => {
  const exact = await (RETRIEVERS.hybrid as Retriever).retrieve(QUESTIONS, SIZE);
  expect(await fromCandidates({ candidates: SIZE }).retrieve(QUESTIONS, SIZE)).toEqual(exact);
  // From fewer the scores are others: they are standardised over the candidates.
  expect(await fromCandidates({ candidates: 30 }).retrieve(QUESTIONS, 30)).not.toEqual(
    exact.map(({ ids, scores, documents: found }) => ({
      ids: ids.slice(0, 30),
      scores: scores.slice(0, 30),
      documents: found.slice(0, 30),
    })),
  );
});

test("candidates are the best by vectors and the best by words", async () => {
  // By vectors "lamp" is nothing, by words it is all: of one candidate by either, words bring the passage with the lamp.
  const [found] = await fromCandidates({ candidates: 1 }).retrieve(["lamp"], 1);
  expect(found?.documents[0]?.page_content).toContain("lamp");
  const both = await fromCandidates({ candidates: 1 }).retrieve(["red lamp"], 1);
  expect(both[0]?.ids).toHaveLength(1);
});
