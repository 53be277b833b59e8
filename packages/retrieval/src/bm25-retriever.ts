import { type Document, throwIfCancelled } from "@rag-ft/core";
import { pageOf, type Ranked } from "./best-passages.js";
import { Bm25Index } from "./bm25-index.js";
import { documentsAt } from "./documents-at.js";
import { fittingPassages } from "./metadata-filter.js";
import { depthOf } from "./page.js";
import { type Retriever, withDocuments } from "./retriever.js";

/** Questions that are searched before others may work. */
const QUESTIONS_A_TURN = 32;

const lexical = new WeakMap<readonly Document[], Map<number, Promise<Bm25Index>>>();

/**
 * BM25 with its usual constants over `fmt_content`, built once for a database, whatever searches it. `pairs`: what pairs of neighbouring
 * words count besides.
 */
export async function bm25IndexOf(documents: readonly Document[], pairs = 0, signal?: AbortSignal): Promise<Bm25Index> {
  const ofDocuments = lexical.get(documents) ?? new Map<number, Promise<Bm25Index>>();
  lexical.set(documents, ofDocuments);
  const known = ofDocuments.get(pairs);
  if (known) return known;
  const made = Bm25Index.build(
    documents.map((document) => document.fmt_content),
    { pairs },
    signal,
  );
  ofDocuments.set(pairs, made);
  try {
    return await made;
  } catch (error) {
    // Stopped: the next to ask begins anew.
    ofDocuments.delete(pairs);
    throw error;
  }
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
  return {
    documents,
    async retrieve(questions, k, { offset, filter, signal } = {}) {
      const page = { limit: k, offset };
      const index = await bm25IndexOf(documents, 0, signal);
      const fitting = fittingPassages(documents, filter);
      const found: Ranked[] = [];
      for (const question of questions) {
        // A question takes a millisecond for 200,000 passages: others may work after some.
        if (found.length % QUESTIONS_A_TURN === QUESTIONS_A_TURN - 1) await new Promise(setImmediate);
        if (signal) throwIfCancelled(signal);
        found.push(...index.search([question], depthOf(page), fitting));
      }
      return withDocuments(
        found.map((ranked) => pageOf(sharing(ranked), page)),
        async (ids) => documentsAt(documents, ids),
      );
    },
  };
}
