import type { Document } from "@rag-ft/core";
import { Bm25Index } from "./bm25-index.js";
import type { PassageIndex } from "./open-index.js";
import type { PassageEncoder } from "./passage-encoder.js";
import { documentsAt, type Retrieved, type RetrieveOptions, retrieve } from "./retrieve.js";

/** Finds passages for questions, by whatever means. */
export interface Retriever {
  readonly documents: readonly Document[];
  /** At most `k` passages a question, best first, equal scores by the lower place in the database. */
  retrieve(questions: readonly string[], k: number, options?: RetrieveOptions): Promise<Retrieved[]>;
}

/** Search by an encoder's vectors. */
export function denseRetriever(index: PassageIndex, encoder: PassageEncoder): Retriever {
  return {
    documents: index.documents,
    retrieve: (questions, k, options) => retrieve(index, encoder, questions, k, options),
  };
}

const lexical = new WeakMap<readonly Document[], Map<number, Bm25Index>>();

/**
 * BM25 with its usual constants over `fmt_content`, built once for a database, whatever searches it. `pairs`: what pairs of neighbouring
 * words count besides.
 */
export function bm25IndexOf(documents: readonly Document[], pairs = 0): Bm25Index {
  const ofDocuments = lexical.get(documents) ?? new Map<number, Bm25Index>();
  lexical.set(documents, ofDocuments);
  const known = ofDocuments.get(pairs);
  if (known) return known;
  const made = new Bm25Index(
    documents.map((document) => document.fmt_content),
    { pairs },
  );
  ofDocuments.set(pairs, made);
  return made;
}

/**
 * Search by words (BM25 over `fmt_content`, the text that encoders are given too): the baseline that a trained retriever should beat.
 * Passages that share no word with a question are not retrieved.
 */
export function bm25Retriever(documents: readonly Document[]): Retriever {
  const index = bm25IndexOf(documents);
  return {
    documents,
    async retrieve(questions, k) {
      const found = index.search(questions, k);
      return questions.map((_, q) => {
        const scores = Array.from(found.scores.subarray(q * found.k, (q + 1) * found.k)).filter((score) => score > 0);
        const ids = Array.from(found.ids.subarray(q * found.k, q * found.k + scores.length));
        return { ids, scores, documents: documentsAt(documents, ids) };
      });
    },
  };
}
