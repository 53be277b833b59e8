import { InternalError } from "@rag-ft/core";
import type { FigureDepths } from "@rag-ft/metrics";
import type { RetrievalQuestion } from "../evaluate-retrieval.js";
import { type Gain, gainOver, type Measured, usualUnlessBeaten } from "../measured.js";
import type { Retrieved } from "../retriever.js";
import { retrievalFigures, scoreRetrieval } from "../score-retrieval.js";
import { reranked } from "./reranked.js";

/** Where nothing was chosen: both scores count alike. */
export const DEFAULT_RERANK_WEIGHT = 0.5;

/** Weights that are tried on the eval questions; 0 is the search alone, 1 the reranker alone. */
export const RERANK_WEIGHTS = [0, 0.25, 0.5, 0.75, 1];

/** What reranking finds with one weight. */
export interface MeasuredRerankWeight extends Measured {
  rerank_weight: number;
}

/** Figures of the same questions for each weight, from what the search found and the reranker's logits of its first passages. */
export function measureRerankWeights(
  questions: readonly Pick<RetrievalQuestion, "gold_docs">[],
  { found, logits }: { found: readonly Retrieved[]; logits: readonly ArrayLike<number>[] },
  weights: readonly number[],
  depths: FigureDepths,
): MeasuredRerankWeight[] {
  return weights.map((rerank_weight) => {
    const scores = questions.map(({ gold_docs }, i) => {
      const one = reranked(found[i] as Retrieved, logits[i] ?? [], rerank_weight);
      return scoreRetrieval(one.documents.slice(0, depths.searched), gold_docs, depths);
    });
    return { rerank_weight, figures: retrievalFigures(scores, depths), rows: scores.map(({ figures }) => figures) };
  });
}

export interface RerankChoice {
  /** Of weight 0 where the search alone is kept. */
  chosen: MeasuredRerankWeight;
  /** What the best weight above 0 adds to the search alone, where that can be told. */
  over_first_stage?: Gain & { rerank_weight: number };
}

/**
 * The default weight, unless another above 0 beats it beyond chance; and that only where it beats the search alone, beyond chance with
 * `significant`: else weight 0.
 *
 * @throws InternalError when weight 0, or the default beside others, was not measured.
 */
export function chooseRerankWeight(
  candidates: readonly MeasuredRerankWeight[],
  metric: string,
  { sources, unless }: { sources?: readonly string[]; unless: "better" | "significant" },
): RerankChoice {
  const at = (weight: number): MeasuredRerankWeight => {
    const found = candidates.find(({ rerank_weight }) => rerank_weight === weight);
    if (found === undefined) throw new InternalError(`The weight ${weight} of a reranker was not measured.`);
    return found;
  };
  const alone = at(0);
  const others = candidates.filter(({ rerank_weight }) => rerank_weight > 0);
  if (others.length === 0) return { chosen: alone };
  const best = usualUnlessBeaten(others, at(DEFAULT_RERANK_WEIGHT), metric, sources);
  const gain = gainOver(alone, best, metric, sources);
  if (gain === undefined) return { chosen: alone };
  const helps = unless === "significant" ? gain.low > 0 : gain.gain > 0;
  return { chosen: helps ? best : alone, over_first_stage: { rerank_weight: best.rerank_weight, ...gain } };
}
