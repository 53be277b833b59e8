import { type Document, retrievalQuery, type StageContext, throwIfCancelled } from "@rag-ft/core";
import { bm25Retriever } from "./bm25-retriever.js";
import {
  countUnanswerable,
  evaluateRetriever,
  type RetrievalEvaluation,
  type RetrievalQuestion,
  warnUnanswerable,
} from "./evaluate-retrieval.js";
import type { OpenedRetriever, Reranking } from "./open-retriever.js";

/** A retriever under test: opened when its turn comes, and closed before the next one's. */
export interface RetrieverSystem {
  /** For tables. */
  label: string;
  kind: "bm25" | "dense" | "hybrid" | "run";
  open(documents: readonly Document[], context: StageContext): Promise<OpenedRetriever>;
}

/** The baseline that any retriever should beat. */
export const bm25System: RetrieverSystem = {
  label: "BM25",
  kind: "bm25",
  open: async (documents) => ({ ...bm25Retriever(documents), close: async () => {} }),
};

export interface TestSystemsOptions {
  questions: readonly RetrievalQuestion[];
  /** Depths at which recall is taken; the reference's when left out. */
  ks?: readonly number[];
  /** Passages retrieved a question, at least the largest of `ks`. */
  depth: number;
  /** Retrieve so many a question besides, which no figure looks at: for who leaves some out. */
  deeper?: number | undefined;
}

/** What a retriever found. */
export interface TestedSystem<S extends RetrieverSystem> extends RetrievalEvaluation {
  system: S;
  /** Each question's figures by their names in files: `test_retr/document_recall/recall4`. */
  rows: Record<string, number>[];
  /** Of hybrid search. */
  bm25Weight: number | undefined;
  /** Where the first passages were reordered. */
  reranking: Reranking | undefined;
  /** With `deeper`: each question's passages to that depth, best first. */
  deeper?: Document[][];
}

/**
 * The first half of every test: each retriever, one after the other, finds passages for all questions and is scored against the gold ones.
 * Says once how many questions cannot score.
 */
export async function testSystems<S extends RetrieverSystem>(
  systems: readonly S[],
  documents: readonly Document[],
  options: TestSystemsOptions,
  context: StageContext,
): Promise<TestedSystem<S>[]> {
  const { reporter, signal } = context;
  const { deeper, ...evaluated } = options;
  const { questions } = evaluated;
  warnUnanswerable(countUnanswerable(documents, questions), questions.length, reporter);
  const tested: TestedSystem<S>[] = [];
  for (const system of systems) {
    throwIfCancelled(signal);
    const retriever = await system.open(documents, context);
    try {
      const evaluation = await evaluateRetriever(retriever, { ...evaluated, reporter, signal });
      const rows = evaluation.scores.map(({ figures }) =>
        Object.fromEntries(Object.entries(figures).map(([name, value]) => [`test_retr/${name}`, value])),
      );
      const more = deeper && (await retriever.retrieve(questions.map(retrievalQuery), deeper, { reporter, signal }));
      tested.push({
        ...{ system, ...evaluation, rows, bm25Weight: retriever.bm25Weight, reranking: retriever.reranking },
        ...(more ? { deeper: more.map(({ documents: found }) => found) } : {}),
      });
    } finally {
      await retriever.close();
    }
  }
  return tested;
}
