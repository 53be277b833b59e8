import { type AskedQuestion, type Document, documentKey, type Reporter, retrievalQuery } from "@rag-ft/core";
import { REFERENCE_DEPTHS } from "@rag-ft/metrics";
import { denseRetriever } from "./dense-retriever.js";
import type { PassageIndex } from "./open-index.js";
import type { PassageEncoder } from "./passage-encoder.js";
import type { Retrieved, Retriever } from "./retriever.js";
import { type RetrievalScore, retrievalFigures, scoreRetrieval } from "./score-retrieval.js";

/** A question, in its dialogue where there is one, with its gold passages. */
export interface RetrievalQuestion extends AskedQuestion {
  gold_docs: readonly Document[];
  /** How relevant each is, for nDCG; 1 each when left out. */
  gold_relevance?: readonly number[] | undefined;
}

export interface EvaluateRetrieverOptions {
  questions: readonly RetrievalQuestion[];
  /** Depths at which recall is taken; the reference's when left out. */
  ks?: readonly number[];
  /** Passages retrieved a question, at least the largest of `ks`. */
  depth?: number;
  reporter: Reporter;
  signal: AbortSignal;
}

export interface EvaluateRetrievalOptions extends EvaluateRetrieverOptions {
  index: PassageIndex;
  encoder: PassageEncoder;
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

/** Says how many questions cannot score, and why. */
export function warnUnanswerable(unanswerable: number, questions: number, reporter: Reporter): void {
  if (unanswerable === 0) return;
  reporter.warn(
    `${unanswerable} of ${questions} questions have a gold passage that the document database does not hold ` +
      "(source and text must both be equal): their recall is 0.",
  );
}

/** Retrieves for every question and scores it against its gold passages. */
export async function evaluateRetriever(
  retriever: Retriever,
  options: EvaluateRetrieverOptions,
): Promise<RetrievalEvaluation> {
  const { questions, reporter, signal, ks = REFERENCE_DEPTHS.ks } = options;
  const searched = Math.max(options.depth ?? 0, ...ks);
  const depths = { ks, searched };
  const texts = questions.map(retrievalQuery);
  const retrieved = await retriever.retrieve(texts, searched, { reporter, signal });
  const scores = questions.map((row, i) =>
    scoreRetrieval(retrieved[i]?.documents ?? [], row.gold_docs, depths, row.gold_relevance),
  );
  const unanswerable = countUnanswerable(retriever.documents, questions);
  return { figures: retrievalFigures(scores, depths), scores, retrieved, unanswerable };
}

/** The same for an encoder with its index. Warns when gold passages are not in the database. */
export async function evaluateRetrieval(options: EvaluateRetrievalOptions): Promise<RetrievalEvaluation> {
  const { index, encoder, ...rest } = options;
  warnUnanswerable(countUnanswerable(index.documents, rest.questions), rest.questions.length, rest.reporter);
  return evaluateRetriever(denseRetriever(index, encoder), rest);
}
