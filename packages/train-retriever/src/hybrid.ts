import type { StageContext } from "@rag-ft/core";
import { BM25_WEIGHTS, type ChosenWeight, chooseWeight, evaluateWeights, type WeightFigures } from "@rag-ft/retrieval";
import type { IndexedEncoder } from "./evaluation.js";
import type { RetrievalExample } from "./retrieval-example.js";

/** The weight of BM25 beside this encoder's vectors that the eval questions choose, and its figures there. */
export async function chooseOnEval(
  indexed: IndexedEncoder,
  questions: readonly RetrievalExample[],
  metric: string,
  { reporter, signal }: StageContext,
): Promise<{ chosen: ChosenWeight; best: WeightFigures }> {
  const candidates = await evaluateWeights(indexed, BM25_WEIGHTS, { questions, reporter, signal });
  const best = chooseWeight(candidates, metric);
  return {
    best,
    chosen: {
      bm25_weight: best.bm25_weight,
      chosen_by: metric,
      questions: questions.length,
      passages: indexed.index.documents.length,
      candidates: candidates.map(({ bm25_weight, figures }) => ({ bm25_weight, figures })),
    },
  };
}
