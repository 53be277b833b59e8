import { type Document, documentKey, type Reporter } from "@rag-ft/core";
import type { PassageIndex } from "./open-index.js";
import type { PassageEncoder } from "./passage-encoder.js";
import { type Retrieved, retrieve } from "./retrieve.js";
import { type RetrievalScore, retrievalFigures, scoreRetrieval } from "./score-retrieval.js";

export interface RetrievalQuestion {
  question: string;
  gold_docs: readonly Document[];
}

export interface EvaluateRetrievalOptions {
  index: PassageIndex;
  encoder: PassageEncoder;
  questions: readonly RetrievalQuestion[];
  /** Depths at which recall is taken; 1 and 4 as the reference. */
  ks?: readonly number[];
  /** Passages retrieved a question, at least the largest of `ks`. */
  depth?: number;
  reporter: Reporter;
  signal: AbortSignal;
}

export interface RetrievalEvaluation {
  /** `document_recall/recall1`, `document_recall/recall4`, … : means over all questions, in [0, 1]. */
  figures: Record<string, number>;
  /** One a question, in order. */
  scores: RetrievalScore[];
  retrieved: Retrieved[];
  /** Questions with a gold passage that the database does not hold; their recall is 0. */
  unanswerable: number;
}

/** Questions that cannot score, because a gold passage of theirs is not in the database. */
export function countUnanswerable(documents: readonly Document[], questions: readonly RetrievalQuestion[]): number {
  const known = new Set(documents.map(documentKey));
  return questions.filter((row) => !row.gold_docs.every((gold) => known.has(documentKey(gold)))).length;
}

/** Retrieves for every question and scores it against its gold passages. Warns when gold passages are not in the database. */
export async function evaluateRetrieval(options: EvaluateRetrievalOptions): Promise<RetrievalEvaluation> {
  const { index, encoder, questions, reporter, signal, ks = [1, 4] } = options;
  const unanswerable = countUnanswerable(index.documents, questions);
  if (unanswerable > 0) {
    reporter.warn(
      `${unanswerable} of ${questions.length} questions have a gold passage that the document database does not hold ` +
        "(source and text must both be equal): their recall is 0.",
    );
  }
  const depth = Math.max(options.depth ?? 0, ...ks);
  const texts = questions.map((row) => row.question);
  const retrieved = await retrieve(index, encoder, texts, depth, { reporter, signal });
  const scores = questions.map((row, i) => scoreRetrieval(retrieved[i]?.documents ?? [], row.gold_docs, ks));
  return { figures: retrievalFigures(scores, ks), scores, retrieved, unanswerable };
}
