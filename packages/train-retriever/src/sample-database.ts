import { createRandom, type Document, documentKey } from "@rag-ft/core";
import type { RetrievalExample } from "@rag-ft/retrieval";

/**
 * A part of the database to evaluate on: the gold passages and hard negatives of the questions and `count` random others, in the database's order.
 * Finding is easier in it than in the whole: its figures are for telling one checkpoint from another.
 */
export function sampleDatabase(
  documents: readonly Document[],
  questions: readonly RetrievalExample[],
  { count, seed }: { count: number; seed: number },
): Document[] {
  const needed = new Set(
    questions.flatMap(({ gold_docs, hard_neg_docs }) => [...gold_docs, ...hard_neg_docs].map(documentKey)),
  );
  const isNeeded = documents.map((document) => needed.has(documentKey(document)));
  const others = [...documents.keys()].filter((place) => !isNeeded[place]);
  const drawn = new Set(createRandom(seed).sample(others, count));
  return documents.filter((_, place) => isNeeded[place] || drawn.has(place));
}
