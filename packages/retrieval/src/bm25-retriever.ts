import type { Document } from "@rag-ft/core";
import { pageOf, type Ranked } from "./best-passages.js";
import { Bm25Index } from "./bm25-index.js";
import { documentsAt } from "./documents-at.js";
import { fittingPassages } from "./metadata-filter.js";
import { depthOf } from "./page.js";
import { type Retriever, withDocuments } from "./retriever.js";

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

/** Without the passages that share no word with the question, which are ranked last; scores in single precision. */
function sharing({ ids, scores }: Ranked): Ranked {
  const rounded = scores.map(Math.fround).filter((score) => score > 0);
  return { ids: ids.subarray(0, rounded.length), scores: rounded };
}

/**
 * Search by words (BM25 over `fmt_content`, the text that encoders are given too): the baseline that a trained retriever should beat.
 * Passages that share no word with a question are not retrieved.
 */
export function bm25Retriever(documents: readonly Document[]): Retriever {
  const index = bm25IndexOf(documents);
  return {
    documents,
    async retrieve(questions, k, { offset, filter } = {}) {
      const page = { limit: k, offset };
      const found = index.search(questions, depthOf(page), fittingPassages(documents, filter));
      return withDocuments(
        found.map((ranked) => pageOf(sharing(ranked), page)),
        async (ids) => documentsAt(documents, ids),
      );
    },
  };
}
