import type { Document } from "@rag-ft/core";
import { documentsAt } from "./documents-at.js";
import { embedQuestions } from "./embed-questions.js";
import { type OpenIndexOptions, openIndex, type PassageIndex } from "./open-index.js";
import type { PassageEncoder } from "./passage-encoder.js";
import { type Retriever, withDocuments } from "./retriever.js";

/** Search by an encoder's vectors; scores are inner products in single precision. */
export interface DenseRetriever extends Retriever {
  readonly index: PassageIndex;
  readonly encoder: PassageEncoder;
}

/** All questions of a call are embedded together. */
export function denseRetriever(index: PassageIndex, encoder: PassageEncoder): DenseRetriever {
  const { documents, store } = index;
  return {
    documents,
    index,
    encoder,
    async retrieve(questions, k, options = {}) {
      if (questions.length === 0) return [];
      const { offset, filter, reporter, signal } = options;
      const queries = await embedQuestions(encoder, questions, options);
      const found = await store.search(queries, { limit: k, offset, filter }, { reporter, signal });
      const rounded = found.map(({ ids, scores }) => ({ ids, scores: scores.map(Math.fround) }));
      return withDocuments(rounded, async (ids) => documentsAt(documents, ids));
    },
  };
}

/** The same over passages that are embedded first, or read from the index. It owns the encoder, which is closed where that fails, too. */
export async function openDenseRetriever(
  documents: readonly Document[],
  encoder: PassageEncoder,
  options: OpenIndexOptions,
): Promise<DenseRetriever & { close(): Promise<void> }> {
  try {
    const index = await openIndex(documents, encoder, options);
    return {
      ...denseRetriever(index, encoder),
      async close() {
        await encoder.close();
        await index.store.close();
      },
    };
  } catch (error) {
    await encoder.close();
    throw error;
  }
}
