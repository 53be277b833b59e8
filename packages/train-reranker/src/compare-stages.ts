import { signed, sourceOf } from "@rag-ft/core";
import { type Comparison, candidateName, type OtherSystem, type Place, SPLIT } from "@rag-ft/fine-tune";
import { figureTitle } from "@rag-ft/metrics";
import {
  chooseRerankWeight,
  type MeasuredRerankWeight,
  RERANKER_FILE,
  type RerankChoice,
  writeRerankerFile,
} from "@rag-ft/retrieval";
import type { RerankerInTraining } from "./evaluation.js";
import type { Searched } from "./first-stage.js";
import type { TrainRerankerSettings } from "./settings.js";

export interface Stages {
  /** The first stage, for people. */
  name: string;
  /** Whether the base is a reranker, and not the first stage alone. */
  baseReranks: boolean;
  evaluation: Searched;
}

/** What the eval questions say about reranking with what is kept. */
function remarkOf(
  { chosen, over_first_stage: gain }: RerankChoice,
  settings: TrainRerankerSettings,
  questions: number,
): string {
  const { metric_for_best_model: metric, output_dir: folder } = settings;
  const nothing = `The search alone is kept: weight 0 in ${RERANKER_FILE}, with which --reranker ${folder} changes nothing.`;
  if (gain === undefined) return nothing;
  const how = `Reranking at weight ${gain.rerank_weight}`;
  const change = `${figureTitle(metric)} ${signed(gain.gain)} on ${questions} eval questions, 95 % interval ${signed(gain.low)} to ${signed(gain.high)}`;
  if (gain.low > 0)
    return `${how} beats the search alone beyond chance: ${change}. Give --reranker ${folder} where it is to be used.`;
  const not = `${how} does not beat the search alone beyond chance: ${change}.`;
  if (chosen.rerank_weight === 0) return `${not} ${nothing}`;
  return `${not} It is kept all the same; keep_base_unless significant would keep the search alone.`;
}

/**
 * Chooses the weight of the reranker's scores beside the first stage's on the eval questions, and leaves it beside the model; what stands in the tables
 * besides: the first stage alone, and the result at the chosen weight.
 */
export async function compareStages(
  settings: TrainRerankerSettings,
  measured: RerankerInTraining,
  { name, baseReranks, evaluation }: Stages,
  kept: Place,
): Promise<Comparison> {
  if (!settings.do_eval) return { before: [], after: [] };
  const metric = settings.metric_for_best_model.replace(SPLIT, "");
  const candidates = await measured.weights(kept, "evaluation");
  const sources = evaluation.questions.map(sourceOf);
  const choice = chooseRerankWeight(candidates, metric, { sources, unless: settings.keep_base_unless });
  const { rerank_weight } = choice.chosen;
  if (settings.do_train)
    await writeRerankerFile(settings.output_dir, {
      rerank_weight,
      rerank_top_n: settings.rerank_top_n,
      first_stage: name,
      chosen_by: metric,
      questions: evaluation.questions.length,
      ...(choice.over_first_stage ? { over_first_stage: choice.over_first_stage } : {}),
      candidates: candidates.map(({ rerank_weight: weight, figures }) => ({ rerank_weight: weight, figures })),
    });
  const at = (weight: number, title: string, key: string): OtherSystem => {
    const find = (all: readonly MeasuredRerankWeight[]): MeasuredRerankWeight =>
      all.find((one) => one.rerank_weight === weight) as MeasuredRerankWeight;
    return {
      name: title,
      key,
      evaluate: async () => find(candidates).figures,
      async test() {
        const { figures, rows } = find(await measured.weights(kept, "test"));
        return { figures: key === "reranked" ? { ...figures, rerank_weight: weight } : figures, rows };
      },
    };
  };
  const model = settings.do_train && kept.step > 0 ? candidateName(kept) : "base";
  return {
    before: baseReranks ? [at(0, name, "first_stage")] : [],
    after: rerank_weight === 0 ? [] : [at(rerank_weight, `${model} at weight ${rerank_weight}`, "reranked")],
    remarks: [
      ...(baseReranks ? [] : [`The base is the search alone (${name}): the model came without a head.`]),
      remarkOf(choice, settings, evaluation.questions.length),
    ],
  };
}
