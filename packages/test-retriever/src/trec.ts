import { basename, join } from "node:path";
import { DataError, type Document, retrievalQuery, writeChunksAtomic } from "@rag-ft/core";
import {
  type OpenedRetriever,
  passageNames,
  queryName,
  type Retrieved,
  type RetrieverSystem,
  rankedPassages,
  readTrecRun,
  trecLines,
} from "@rag-ft/retrieval";
import type { TestQuestion } from "./read-questions.js";

/** trec_eval's columns. */
const COLUMNS = { columns: "spaces" } as const;

/** What a run and judgements call passages and questions. */
export interface TrecNames {
  passage(document: Document): string;
  query(question: TestQuestion, place: number): string;
}

/** Names of all that a test is about. */
export function trecNames(documents: readonly Document[], questions: readonly TestQuestion[]): TrecNames {
  return {
    passage: passageNames([...documents, ...questions.flatMap(({ gold_docs }) => gold_docs)], COLUMNS),
    query: (question, place) => queryName(question, place, COLUMNS),
  };
}

/** A run of another system as a retriever of these questions. */
export interface RunSystem extends RetrieverSystem {
  run: string;
}

/**
 * Finds what the run found.
 *
 * @throws DataError when it has none of the questions, or passages that are not of the database.
 */
async function openRun(
  path: string,
  documents: readonly Document[],
  questions: readonly TestQuestion[],
): Promise<OpenedRetriever> {
  const run = await readTrecRun(path);
  const { passage, query } = trecNames(documents, questions);
  const places = new Map(documents.map((document, place) => [passage(document), place]));
  const names = new Map(questions.map((question, i) => [retrievalQuery(question), query(question, i)]));
  const own = [...names.values()];
  if (!own.some((name) => run.has(name)))
    throw new DataError(
      `${path}: has none of the questions, which are called ${own.slice(0, 3).join(", ")}, …; the run's are ${[...run.keys()].slice(0, 3).join(", ")}, ….`,
    );
  const found = (query: string, k: number): Retrieved => {
    const { passages, scores } = rankedPassages(run, names.get(query) ?? "");
    const ids = passages.slice(0, k).map((name) => {
      const place = places.get(name);
      if (place === undefined)
        throw new DataError(`${path}: the passage ${name} is not in the database. Is the run of another one?`);
      return place;
    });
    return { ids, scores: scores.slice(0, k), documents: ids.map((id) => documents[id] as Document) };
  };
  return {
    documents,
    retrieve: async (queries, k) => queries.map((query) => found(query, k)),
    close: async () => {},
  };
}

/** Runs of other systems under test, by the names of their files. */
export function runSystems(paths: readonly string[], questions: readonly TestQuestion[]): RunSystem[] {
  return paths.map((path) => ({
    label: basename(path).replace(/\.(trec|run|txt)$/i, ""),
    kind: "run",
    run: path,
    open: (documents) => openRun(path, documents, questions),
  }));
}

/** Writes what a retriever found as `run.trec` of its folder. */
export async function writeRun(
  folder: string,
  label: string,
  questions: readonly TestQuestion[],
  found: readonly Retrieved[],
  names: TrecNames,
): Promise<string> {
  const path = join(folder, "run.trec");
  const rows = questions.map((question, i) => {
    const { documents = [], scores = [] } = found[i] ?? {};
    return { query: names.query(question, i), passages: documents.map(names.passage), scores };
  });
  await writeChunksAtomic(path, trecLines(rows, label));
  return path;
}

/** Writes the gold passages with their relevance as `qrels.trec`. */
export async function writeQrels(
  folder: string,
  questions: readonly TestQuestion[],
  names: TrecNames,
): Promise<string> {
  const path = join(folder, "qrels.trec");
  const lines = questions.flatMap((question, i) =>
    question.gold_docs.map(
      (gold, k) => `${names.query(question, i)} 0 ${names.passage(gold)} ${question.gold_relevance?.[k] ?? 1}\n`,
    ),
  );
  await writeChunksAtomic(path, lines);
  return path;
}
