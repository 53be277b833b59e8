import { type StageContext, sourceOf } from "@rag-ft/core";
import { type Comparison, candidateName, type Place, SPLIT, type TestFigures } from "@rag-ft/fine-tune";
import type { RetrievalExample, TrainingQuestions } from "@rag-ft/retrieval";
import {
  BM25_WEIGHTS,
  bm25Retriever,
  type ChosenWeight,
  chooseWeight,
  evaluateWeights,
  gainOverDense,
  hybridRetriever,
  type Retriever,
  type WeightFigures,
  writeHybridWeight,
} from "@rag-ft/retrieval";
import { baselineFigures, type IndexedEncoder, type ModelInTraining } from "./evaluation.js";
import type { TrainRetrieverSettings } from "./settings.js";

/** The weight of BM25 beside this encoder's vectors that the eval questions choose, and its figures there. */
async function chooseOnEval(
  indexed: IndexedEncoder,
  questions: readonly RetrievalExample[],
  metric: string,
  { reporter, signal }: StageContext,
): Promise<{ chosen: ChosenWeight; best: WeightFigures }> {
  const candidates = await evaluateWeights(indexed, BM25_WEIGHTS, { questions, reporter, signal });
  const sources = questions.map(sourceOf);
  const best = chooseWeight(candidates, metric, sources);
  const gain = gainOverDense(candidates, best, metric, sources);
  return {
    best,
    chosen: {
      bm25_weight: best.bm25_weight,
      ...(gain ? { over_dense: gain } : {}),
      chosen_by: metric,
      questions: questions.length,
      passages: indexed.index.documents.length,
      candidates: candidates.map(({ bm25_weight, figures }) => ({ bm25_weight, figures })),
    },
  };
}

/** Says what to set where words help the vectors beyond chance. */
function hybridRemark({ over_dense, bm25_weight, chosen_by, questions }: ChosenWeight): string[] {
  if (over_dense?.retrieval !== "hybrid") return [];
  const [gain, low, high] = [over_dense.gain, over_dense.low, over_dense.high].map((value) => value.toFixed(3));
  return [
    `Hybrid search (vectors + ${bm25_weight} BM25) beats the vectors alone beyond chance on the ${questions} eval questions: ` +
      `${chosen_by} +${gain} (95 % interval ${low} to ${high}). Set --retrieval hybrid where this model searches, or auto, which takes what was chosen here.`,
  ];
}

/**
 * What the encoder that is kept is compared with: BM25 alone, and both together, with the weight that the eval questions choose; a training
 * leaves that weight beside its model. The encoder's vectors are kept where settings ask for it.
 */
export async function compareSearches(
  settings: TrainRetrieverSettings,
  measured: { evaluation: ModelInTraining; test: ModelInTraining },
  { evaluation, test = [] }: TrainingQuestions,
  kept: Place,
  context: StageContext,
): Promise<Comparison> {
  const figures = (retriever: Retriever, questions: readonly RetrievalExample[]): Promise<TestFigures> =>
    baselineFigures(retriever, questions, context);
  const bm25 = bm25Retriever(measured.evaluation.documents);
  const bm25Whole = measured.test === measured.evaluation ? bm25 : bm25Retriever(measured.test.documents);
  const before = [
    {
      name: "BM25",
      key: "bm25",
      evaluate: async () => (await figures(bm25, evaluation)).figures,
      test: () => figures(bm25Whole, test),
    },
  ];
  if (!settings.do_eval && test.length === 0) return { before, after: [] };
  const whole =
    test.length > 0 || measured.test === measured.evaluation ? await measured.test.indexed(kept) : undefined;
  if (whole && settings.index_path) await measured.test.keep(whole, settings.index_path);
  if (!settings.do_eval) return { before, after: [] };
  const indexed = await measured.evaluation.indexed(kept);
  const metric = settings.metric_for_best_model.replace(SPLIT, "");
  const { chosen, best } = await chooseOnEval(indexed, evaluation, metric, context);
  if (settings.do_train) await writeHybridWeight(settings.output_dir, chosen);
  const { bm25_weight } = best;
  const together = {
    name: `${settings.do_train ? candidateName(kept) : "base"} + ${bm25_weight} BM25`,
    key: "hybrid",
    evaluate: async () => best.figures,
    test: async () => {
      const { index, encoder } = whole ?? indexed;
      const searched = hybridRetriever(index, encoder, bm25_weight);
      const { figures: means, rows } = await figures(searched, test);
      return { figures: { ...means, bm25_weight }, rows };
    },
  };
  return { before, after: [together], remarks: hybridRemark(chosen) };
}
