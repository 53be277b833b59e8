// The vector stores side by side, over the same passages and questions: how many of the ten nearest passages each finds (recall@10 against exact
// search), milliseconds a question, seconds to write, and how far hybrid search by the store's own words agrees with ours.
//
// Passages are paragraphs of the Markdown in node_modules (or --texts FOLDER), vectors those of the tiny encoder (or --encoder FOLDER), a question eight
// words in a row of a passage, which is then its gold passage. PostgreSQL is the server at --url (or RAG_FT_VECTOR_STORE_URL), else one that the bench
// starts where there is one with pgvector; PGlite is not measured: it runs in this process.
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { performance } from "node:perf_hooks";
import { glob } from "tinyglobby";
import { createDocument, createRandom, hashText, silentReporter } from "../packages/core/dist/index.js";
import { openEncoder } from "../packages/models/dist/index.js";
import {
  DEFAULT_BM25_WEIGHT,
  hybridRetriever,
  openIndex,
  STORE_URL_VARIABLE,
  VECTOR_STORES,
} from "../packages/retrieval/dist/index.js";
import { lanceDbRow } from "../packages/retrieval/dist/stores/lancedb/lancedb-row.js";
import { pgVectorRow } from "../packages/retrieval/dist/stores/pgvector/pgvector-row.js";
import { postgresMissing, startPostgres } from "../packages/retrieval/dist/stores/testing/postgres-server.js";
import { cores, flags, missing, processor, root, tinyModel, wholeNumber, withFolder } from "./tools.mjs";

const size = wholeNumber("number") ?? (flags.quick ? 2_000 : 20_000);
const QUESTIONS = wholeNumber("batch") ?? 200;
const DEPTH = 10;
const WORDS = 8;
const random = createRandom(wholeNumber("seed", 0));
const signal = new AbortController().signal;
const quiet = { reporter: silentReporter, signal };

/** Distinct paragraphs of at least 12 words, in the order of the files' names. */
async function passages() {
  const cwd = resolve(flags.texts ?? join(root, "node_modules/.pnpm"));
  const files = (await glob("**/*.md", { cwd, dot: true, followSymbolicLinks: false })).sort();
  const texts = new Set();
  for (const file of files) {
    const text = await readFile(join(cwd, file), "utf8").catch(() => "");
    for (const part of text.split(/\n\s*\n/)) {
      const words = part.split(/\s+/).filter(Boolean);
      if (words.length >= 12) texts.add(words.slice(0, 80).join(" "));
      if (texts.size === size) return [...texts];
    }
  }
  return [...texts];
}

async function timed(work) {
  const started = performance.now();
  const value = await work();
  return { value, ms: performance.now() - started };
}

const shared = (a, b) => a.filter((id) => b.includes(id)).length;
const meanOf = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

await withFolder(async (folder) => {
  const texts = await passages();
  if (texts.length < 100) missing(`${texts.length} paragraphs in the Markdown: give --texts FOLDER with more.`);
  const documents = texts.map((text, i) => createDocument(text, { source: `passage-${i}` }));
  const encoder = await openEncoder(resolve(flags.encoder ?? tinyModel("encoder")), quiet);
  const memory = await openIndex(documents, encoder, quiet);
  const d = encoder.dimensions;
  const places = [...documents.keys()];
  const vectors = await memory.store.vectors(places);
  const gold = Array.from({ length: QUESTIONS }, () => Math.floor(random.next() * documents.length));
  const questions = gold.map((place) => {
    const words = texts[place].split(" ");
    const from = Math.floor(random.next() * (words.length - WORDS));
    return words.slice(from, from + WORDS).join(" ");
  });
  const queries = await encoder.embed(questions, "query", quiet);
  // Each question by itself, as in a chat.
  const rowOf = (q) => queries.subarray(q * d, (q + 1) * d);
  const embedding = new Map(questions.map((question, q) => [question, rowOf(q)]));
  const known = { ...encoder, embed: async ([question]) => embedding.get(question) };

  const url = flags.url ?? process.env[STORE_URL_VARIABLE];
  const absent = url === undefined ? postgresMissing() : undefined;
  if (absent !== undefined) console.error(`pgvector is not measured: ${absent}. Or give --url.`);
  const server = url === undefined && absent === undefined ? await startPostgres() : undefined;
  const postgres = url ?? server?.url;

  let tables = 0;
  const kept = (row, place) => async () => {
    const store = await row.open({
      ...{ url: place, encoder: hashText(`bench ${process.pid}`), dimensions: d, passages: documents.length },
      documents: hashText(`${++tables}`),
    });
    await store.put(places, documents, vectors);
    await store.finish();
    return store;
  };
  const filled = (row) => async () => {
    const store = await row.open({ dimensions: d });
    await store.add(documents, vectors);
    return store;
  };
  const candidates = {
    memory: filled(VECTOR_STORES.memory),
    ...((await VECTOR_STORES.hnsw.missing()) === undefined ? { hnsw: filled(VECTOR_STORES.hnsw) } : {}),
    lancedb: kept(lanceDbRow({ indexAbove: Number.POSITIVE_INFINITY }), join(folder, "lance")),
    "lancedb, graph": kept(lanceDbRow({ indexAbove: 0 }), join(folder, "lance")),
    ...(postgres === undefined
      ? {}
      : {
          pgvector: kept(pgVectorRow({ indexAbove: Number.POSITIVE_INFINITY }), postgres),
          "pgvector, graph": kept(pgVectorRow({ indexAbove: 0 }), postgres),
        }),
  };

  const rows = [];
  let exact;
  let ours;
  try {
    for (const [name, open] of Object.entries(candidates)) {
      const { value: store, ms: written } = await timed(open);
      const each = async (ask) => {
        for (let q = 0; q < 5; q++) await ask(q);
        return timed(async () => {
          const found = [];
          for (let q = 0; q < QUESTIONS; q++) found.push(await ask(q));
          return found;
        });
      };
      const dense = await each(async (q) => Array.from((await store.search(rowOf(q), { limit: DEPTH }))[0].ids));
      const retriever = hybridRetriever({ documents, store }, known, DEFAULT_BM25_WEIGHT);
      const hybrid = await each(async (q) => (await retriever.retrieve([questions[q]], DEPTH))[0].ids);
      exact ??= dense.value;
      ours ??= hybrid.value;
      const recallOf = (found, depth) => meanOf(found.map((ids, q) => Number(ids.slice(0, depth).includes(gold[q]))));
      rows.push({
        store: name,
        written_s: written / 1000,
        dense_ms: dense.ms / QUESTIONS,
        recall_at_10: meanOf(dense.value.map((ids, q) => shared(ids, exact[q]) / DEPTH)),
        hybrid_ms: hybrid.ms / QUESTIONS,
        hybrid_agrees_at_10: meanOf(hybrid.value.map((ids, q) => shared(ids, ours[q]) / DEPTH)),
        hybrid_gold_at_1: recallOf(hybrid.value, 1),
        hybrid_gold_at_10: recallOf(hybrid.value, DEPTH),
      });
      console.error(JSON.stringify(rows.at(-1)));
      await store.close();
    }
  } finally {
    await server?.close();
    await encoder.close();
  }
  console.log(
    "| store | written, s | vectors, ms a question | recall@10 | hybrid, ms | agrees with ours at 10 | gold at 1 | gold at 10 |",
  );
  console.log("| --- | --- | --- | --- | --- | --- | --- | --- |");
  for (const row of rows)
    console.log(
      `| ${row.store} | ${row.written_s.toFixed(1)} | ${row.dense_ms.toFixed(1)} | ${row.recall_at_10.toFixed(3)} | ${row.hybrid_ms.toFixed(1)} | ${row.hybrid_agrees_at_10.toFixed(3)} | ${row.hybrid_gold_at_1.toFixed(3)} | ${row.hybrid_gold_at_10.toFixed(3)} |`,
    );
  const passagesCount = documents.length;
  console.log(
    JSON.stringify({
      bench: "stores",
      processor,
      cores,
      passages: passagesCount,
      dimensions: d,
      questions: QUESTIONS,
      rows,
    }),
  );
});
