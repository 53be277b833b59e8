import { type Document, InternalError, type Reporter } from "@rag-ft/core";
import type { PassageIndex } from "./open-index.js";
import type { PassageEncoder } from "./passage-encoder.js";

/** What was retrieved for one question, best first. */
export interface Retrieved {
  documents: Document[];
  /** Places of the passages in the database. */
  ids: number[];
  /** Inner products, or what else the search ranks by. */
  scores: number[];
}

export interface RetrieveOptions {
  reporter?: Reporter;
  signal?: AbortSignal;
}

/** The passages at these places of the database. */
export function documentsAt(documents: readonly Document[], ids: readonly number[]): Document[] {
  return ids.map((id) => {
    const document = documents[id];
    if (document === undefined) throw new InternalError(`The search returned passage ${id}, which is not there.`);
    return document;
  });
}

/** Vectors of all questions, `[questions, dimensions]`, embedded together. */
export async function embedQuestions(
  encoder: PassageEncoder,
  questions: readonly string[],
  { reporter, signal }: RetrieveOptions,
): Promise<Float32Array> {
  const progress = reporter?.start("embedding questions", questions.length);
  try {
    return await encoder.embed(questions, "query", { signal, onProgress: (done) => progress?.update(done) });
  } finally {
    progress?.stop();
  }
}

/** The best `k` passages for each question; all questions are embedded together. */
export async function retrieve(
  index: PassageIndex,
  encoder: PassageEncoder,
  questions: readonly string[],
  k: number,
  options: RetrieveOptions = {},
): Promise<Retrieved[]> {
  if (questions.length === 0) return [];
  const queries = await embedQuestions(encoder, questions, options);
  const found = index.vectors.search(queries, k);
  return questions.map((_, q) => {
    const ids = Array.from(found.ids.subarray(q * found.k, (q + 1) * found.k));
    return {
      ids,
      scores: Array.from(found.scores.subarray(q * found.k, (q + 1) * found.k)),
      documents: documentsAt(index.documents, ids),
    };
  });
}
