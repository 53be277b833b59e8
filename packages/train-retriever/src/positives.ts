// Several positives of a question: the gold passages of all rows that ask it, and passages that hold what one of them says. A documentation repeats
// itself, so that a copy of the gold passage answers as well; where it stands among a step's passages it is a positive, and not only no negative.
import { type Document, distinctDocuments, documentKey } from "@rag-ft/core";
import type { RetrievalExample } from "@rag-ft/retrieval";
import type { ContrastiveExamples } from "./examples.js";
import type { Positives } from "./masks.js";
import type { NearPassages } from "./near-duplicate-masks.js";

/** Positives of each question as `near` finds them; `count` of those beside its own gold passage are drawn into each step. */
export function severalPositives({ holds, holding }: NearPassages, count: number): Positives {
  const known = new Map<RetrievalExample, readonly Document[]>();
  const pool = (example: RetrievalExample): readonly Document[] => {
    if (count === 0) return [];
    const { gold_docs } = example;
    const own = gold_docs[0] && documentKey(gold_docs[0]);
    const found =
      known.get(example) ??
      distinctDocuments([...gold_docs, ...gold_docs.flatMap(holding)]).filter((other) => documentKey(other) !== own);
    known.set(example, found);
    return found;
  };
  return { holds, pool, draw: (example, random) => (count === 0 ? [] : random.sample(pool(example), count)) };
}

export interface PositiveCounts {
  /** Questions of all steps, each as often as it is trained on. */
  questions: number;
  /** Those that have a second positive. */
  with_several: number;
  /** Positives beside the questions' own gold passages. */
  further: number;
}

/** How many positives the questions of some batches have. */
export function countPositives(batches: Iterable<ContrastiveExamples>): PositiveCounts {
  const counts = { questions: 0, with_several: 0, further: 0 };
  for (const { queries, positives } of batches) {
    counts.questions += queries.length;
    counts.with_several += new Set(positives.map(([query]) => query)).size;
    counts.further += positives.length;
  }
  return counts;
}
