import { type Document, InternalError, retrievalQuery, throwIfCancelled } from "@rag-ft/core";
import { REFERENCE_DEPTHS } from "@rag-ft/metrics";
import { bestOf, pageOf } from "./best-passages.js";
import { bm25IndexOf } from "./bm25-retriever.js";
import { documentsAt } from "./documents-at.js";
import { embedQuestions } from "./embed-questions.js";
import type { EvaluateRetrieverOptions } from "./evaluate-retrieval.js";
import { bestFused, type StandardScores, scoresOfAll, scoresOfCandidates, scoresOfRankings } from "./fused-scores.js";
import { fittingPassages } from "./metadata-filter.js";
import type { PassageIndex } from "./open-index.js";
import { depthOf } from "./page.js";
import type { PassageEncoder } from "./passage-encoder.js";
import { type RetrieveOptions, type Retriever, withDocuments } from "./retriever.js";
import { type RetrievalScore, retrievalFigures, scoreRetrieval } from "./score-retrieval.js";

/** What pairs of neighbouring words count beside words. docs/quality.md has the figures. */
export const PAIRS_WEIGHT = 0.3;

/** Candidates by vectors and as many by words, where the store does not give all scores; as many as are ranked when that is more. */
const CANDIDATES = 1000;

/** Questions whose scores are held at once. */
const BATCH = 16;

export interface HybridOptions {
  /** What pairs of neighbouring words count beside words. */
  pairs?: number;
  candidates?: number;
}

/** Vectors and words of a database. */
class HybridIndex {
  readonly documents: readonly Document[];
  private readonly pairs: number;
  private readonly candidates: number;

  constructor(
    private readonly index: PassageIndex,
    private readonly encoder: PassageEncoder,
    { pairs = PAIRS_WEIGHT, candidates = CANDIDATES }: HybridOptions = {},
  ) {
    this.documents = index.documents;
    this.pairs = pairs;
    this.candidates = candidates;
  }

  /** One a question, in order, for a ranking of `depth` passages. Candidates are those that fit the filter. */
  async *scores(
    questions: readonly string[],
    depth: number,
    options: RetrieveOptions,
    fitting?: Int32Array,
  ): AsyncGenerator<StandardScores> {
    if (questions.length === 0) return;
    const { store } = this.index;
    // Not built where the store has words of its own.
    const words = store.words ? undefined : await bm25IndexOf(this.documents, this.pairs, options.signal);
    const queries = await embedQuestions(this.encoder, questions, options);
    const { filter, signal } = options;
    const d = store.dimensions;
    const limit = Math.max(this.candidates, depth);
    for (let start = 0; start < questions.length; start += BATCH) {
      if (signal) throwIfCancelled(signal);
      const batch = questions.slice(start, start + BATCH);
      const own = queries.subarray(start * d, (start + batch.length) * d);
      const dense = await store.scores?.(own);
      const best = dense ? [] : await store.search(own, { limit, filter }, { signal });
      const ranked = await store.words?.(batch, { limit, filter }, { signal });
      for (const [i, question] of batch.entries()) {
        const bm25 = words?.scores(question);
        const all = dense?.[i];
        const near = best[i];
        const byWords = ranked?.[i];
        if (all && bm25) yield scoresOfAll(all, bm25);
        else if (near && bm25) yield scoresOfCandidates(near, bestOf(bm25, limit, fitting), bm25);
        else if (near && byWords) yield scoresOfRankings(near, byWords, limit);
        else throw new InternalError(`The store ${store.kind} gave no result for question ${start + i + 1}.`);
      }
      // Lets Ctrl-C through: scoring is synchronous.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

/**
 * Search by vectors and words together, the latter by words and pairs of them. Scores are the sums of standardised scores: exact where the store
 * gives all scores, O(passages · dimensions) a question even if its own search is approximate; else from the best candidates by either. Words are
 * weighed by our BM25, or by the store where it searches by words itself.
 */
export function hybridRetriever(
  index: PassageIndex,
  encoder: PassageEncoder,
  weight: number,
  hybridOptions: HybridOptions = {},
): Retriever {
  const hybrid = new HybridIndex(index, encoder, hybridOptions);
  const { documents } = index;
  return {
    documents,
    async retrieve(questions, k, options = {}) {
      const page = { limit: k, offset: options.offset };
      const depth = depthOf(page);
      const fitting = index.store.words ? undefined : fittingPassages(documents, options.filter);
      const found = [];
      for await (const scores of hybrid.scores(questions, depth, options, fitting))
        found.push(pageOf(bestFused(scores, weight, depth, fitting), page));
      return withDocuments(found, async (ids) => documentsAt(documents, ids));
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
  const texts = questions.map(retrievalQuery);
  let place = 0;
  for await (const scores of new HybridIndex(index, encoder).scores(texts, searched, { reporter, signal })) {
    const gold = questions[place++]?.gold_docs ?? [];
    weights.forEach((weight, w) => {
      const found = documentsAt(index.documents, bestFused(scores, weight, searched).ids);
      scored[w]?.push(scoreRetrieval(found, gold, { ks, searched }));
    });
  }
  return weights.map((bm25_weight, w) => {
    const scores = scored[w] ?? [];
    const figures = retrievalFigures(scores, { ks, searched });
    return { bm25_weight, figures, rows: scores.map((score) => score.figures) };
  });
}
