import { retrievalQuery, type StageContext } from "@rag-ft/core";
import { type Place, type TestFigures, withSplit } from "@rag-ft/fine-tune";
import { logitsOfPairs, type TrainableScorer } from "@rag-ft/models";
import {
  DEFAULT_RERANK_WEIGHT,
  type MeasuredRerankWeight,
  measureRerankWeights,
  pairsOf,
  RERANK_WEIGHTS,
} from "@rag-ft/retrieval";
import type { Evaluation } from "@rag-ft/train";
import type { Searched } from "./first-stage.js";
import { RECALL_DEPTHS, type TrainRerankerSettings } from "./settings.js";

/**
 * Measures the model's present weights by how they reorder what the first stage found. Checkpoints are compared at the default weight; all weights are
 * measured from the same logits. A head that was just made says nothing: the base of such a model is the first stage alone.
 */
export class RerankerInTraining {
  private readonly known = new Map<string, Promise<MeasuredRerankWeight[]>>();

  constructor(
    private readonly settings: TrainRerankerSettings,
    private readonly model: TrainableScorer,
    private readonly splits: { evaluation: Searched; test: Searched | undefined },
    private readonly context: StageContext,
  ) {}

  private isFirstStageAlone({ step, alpha }: Place): boolean {
    return step === 0 && alpha === undefined && this.model.scorer.isHeadNew;
  }

  /** Logits of each question's first passages. */
  private async logits({ questions, found }: Searched): Promise<Float32Array[]> {
    const { model, context, settings } = this;
    const pairs = found.map((one, i) =>
      pairsOf(retrievalQuery(questions[i] as (typeof questions)[number]), one, settings.rerank_top_n),
    );
    const progress = context.reporter.start("reranking", pairs.flat().length);
    try {
      const options = { signal: context.signal, onProgress: (done: number) => progress.update(done) };
      const all = await logitsOfPairs(model.scorer, model.evaluate, pairs.flat(), options);
      let next = 0;
      return pairs.map(({ length }) => {
        next += length;
        return all.subarray(next - length, next);
      });
    } finally {
      progress.stop();
    }
  }

  private async measure(place: Place, split: "evaluation" | "test"): Promise<MeasuredRerankWeight[]> {
    const searched = this.splits[split] ?? { questions: [], found: [] };
    const depths = { ks: RECALL_DEPTHS, searched: this.settings.rerank_top_n };
    const { questions, found } = searched;
    if (this.isFirstStageAlone(place)) return measureRerankWeights(questions, { found, logits: [] }, [0], depths);
    return measureRerankWeights(questions, { found, logits: await this.logits(searched) }, RERANK_WEIGHTS, depths);
  }

  /** Every weight's figures with the present weights of the model, which are those of `place`. */
  weights(place: Place, split: "evaluation" | "test"): Promise<MeasuredRerankWeight[]> {
    const key = `${split} ${place.step} ${place.alpha ?? ""}`;
    const known = this.known.get(key) ?? this.measure(place, split);
    this.known.set(key, known);
    return known;
  }

  /** The figures at the weight by which checkpoints are compared. */
  async usual(place: Place, split: "evaluation" | "test"): Promise<MeasuredRerankWeight> {
    const all = await this.weights(place, split);
    const weight = this.isFirstStageAlone(place) ? 0 : DEFAULT_RERANK_WEIGHT;
    return all.find(({ rerank_weight }) => rerank_weight === weight) as MeasuredRerankWeight;
  }

  /** The eval split's figures, and the deciding one question by question. */
  async evaluate(place: Place): Promise<Evaluation> {
    const { figures, rows } = await this.usual(place, "evaluation");
    const { metric_for_best_model: metric } = this.settings;
    return { figures: withSplit("eval", figures), values: rows.map((row) => withSplit("eval", row)[metric] as number) };
  }

  async test(place: Place): Promise<TestFigures> {
    const { figures, rows } = await this.usual(place, "test");
    return { figures, rows };
  }
}
