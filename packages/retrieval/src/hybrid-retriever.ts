import { type Document, throwIfCancelled } from "@rag-ft/core";
import { REFERENCE_DEPTHS } from "@rag-ft/metrics";
import { bestOf } from "./best-passages.js";
import type { Bm25Index } from "./bm25-index.js";
import type { EvaluateRetrieverOptions } from "./evaluate-retrieval.js";
import type { PassageIndex } from "./open-index.js";
import type { PassageEncoder } from "./passage-encoder.js";
import { documentsAt, embedQuestions, type RetrieveOptions } from "./retrieve.js";
import { bm25IndexOf, type Retriever } from "./retriever.js";
import { type RetrievalScore, retrievalFigures, scoreRetrieval } from "./score-retrieval.js";

// Scores of vectors and of words have other scales, and they differ from question to question. Each is therefore standardised over all
// passages of the database, for each question by itself, and the two are added: dense + weight * BM25, which is of words and of pairs of them
// here. Exact, by all scores.

/** What pairs of neighbouring words count beside words. docs/quality.md has the figures. */
export const PAIRS_WEIGHT = 0.3;

/** Questions whose scores are held at once. */
const BATCH = 16;

/** Scores less their mean, divided by their standard deviation; all 0 where all are equal. */
export function standardise(scores: Float64Array): Float64Array {
  // Equal scores may miss their own mean by rounding.
  if (scores.every((score) => score === scores[0])) return new Float64Array(scores.length);
  const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
  const variance = scores.reduce((sum, score) => sum + (score - mean) ** 2, 0) / scores.length;
  const deviation = Math.sqrt(variance);
  return scores.map((score) => (score - mean) / deviation);
}

/** One question's standardised scores of every passage, `[passages]`. */
interface StandardScores {
  dense: Float64Array;
  bm25: Float64Array;
}

function fuse({ dense, bm25 }: StandardScores, weight: number): Float64Array {
  return dense.map((score, passage) => score + weight * (bm25[passage] as number));
}

/** Vectors and words of a database. */
class HybridIndex {
  readonly documents: readonly Document[];
  private readonly words: Bm25Index;

  constructor(
    private readonly index: PassageIndex,
    private readonly encoder: PassageEncoder,
    pairs = PAIRS_WEIGHT,
  ) {
    this.documents = index.documents;
    this.words = bm25IndexOf(index.documents, pairs);
  }

  /** One a question, in order. */
  async *scores(questions: readonly string[], options: RetrieveOptions): AsyncGenerator<StandardScores> {
    if (questions.length === 0) return;
    const queries = await embedQuestions(this.encoder, questions, options);
    const d = this.index.vectors.dimensions;
    for (let start = 0; start < questions.length; start += BATCH) {
      if (options.signal) throwIfCancelled(options.signal);
      const batch = questions.slice(start, start + BATCH);
      const dense = this.index.vectors.scores(queries.subarray(start * d, (start + batch.length) * d));
      for (const [i, question] of batch.entries()) {
        yield { dense: standardise(dense[i] as Float64Array), bm25: standardise(this.words.scores(question)) };
      }
      // Lets Ctrl-C through: scoring is synchronous.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

/**
 * Search by vectors and words together. Scores are the sums of standardised scores. Where the index is approximate, its exact scores are
 * used all the same: O(passages · dimensions) a question. `pairs`: what pairs of neighbouring words count beside words.
 */
export function hybridRetriever(
  index: PassageIndex,
  encoder: PassageEncoder,
  weight: number,
  pairs = PAIRS_WEIGHT,
): Retriever {
  const hybrid = new HybridIndex(index, encoder, pairs);
  return {
    documents: index.documents,
    async retrieve(questions, k, options = {}) {
      const found = [];
      for await (const scores of hybrid.scores(questions, options)) {
        const best = bestOf(fuse(scores, weight), k);
        const ids = Array.from(best.ids);
        found.push({ ids, scores: Array.from(best.scores), documents: documentsAt(index.documents, ids) });
      }
      return found;
    },
  };
}

/** What hybrid search finds with one weight: means over all questions. */
export interface WeightFigures {
  bm25_weight: number;
  figures: Record<string, number>;
}

/** With the figures of each question, in order. */
export interface MeasuredWeight extends WeightFigures {
  rows: Record<string, number>[];
}

/** The figures of `evaluateRetriever` for each weight. Questions are embedded and passages scored once for all weights. */
export async function evaluateWeights(
  { index, encoder }: { index: PassageIndex; encoder: PassageEncoder },
  weights: readonly number[],
  { questions, ks = REFERENCE_DEPTHS.ks, depth = 0, reporter, signal }: EvaluateRetrieverOptions,
): Promise<MeasuredWeight[]> {
  const searched = Math.max(depth, ...ks);
  const scored = weights.map((): RetrievalScore[] => []);
  const texts = questions.map((row) => row.question);
  let place = 0;
  for await (const scores of new HybridIndex(index, encoder).scores(texts, { reporter, signal })) {
    const gold = questions[place++]?.gold_docs ?? [];
    weights.forEach((weight, w) => {
      const found = documentsAt(index.documents, Array.from(bestOf(fuse(scores, weight), searched).ids));
      scored[w]?.push(scoreRetrieval(found, gold, { ks, searched }));
    });
  }
  return weights.map((bm25_weight, w) => {
    const scores = scored[w] ?? [];
    const figures = retrievalFigures(scores, { ks, searched });
    return { bm25_weight, figures, rows: scores.map((score) => score.figures) };
  });
}
