import type { Document, StageContext } from "@rag-ft/core";
import { type Place, SPLIT, type TestFigures, withSplit } from "@rag-ft/fine-tune";
import { fingerprintOf, type TrainableEncoder } from "@rag-ft/models";
import type { RetrievalExample } from "@rag-ft/retrieval";
import {
  evaluateRetrieval,
  evaluateRetriever,
  keepIndex,
  openIndex,
  type PassageEncoder,
  type PassageIndex,
  type RetrievalEvaluation,
  type Retriever,
} from "@rag-ft/retrieval";
import type { Evaluation } from "@rag-ft/train";
import type { TrainRetrieverSettings } from "./settings.js";

export interface IndexedEncoder {
  index: PassageIndex;
  encoder: PassageEncoder;
}

/** The model in training as an encoder, whose fingerprint is as given. */
export function encoderOf(model: TrainableEncoder, fingerprint: string): PassageEncoder {
  const { graph, settings } = model.encoder;
  return { dimensions: graph.dimensions, settings, fingerprint, embed: model.embed, close: async () => {} };
}

/** As the model will be known when it is loaded from its folder. */
function presentEncoder(model: TrainableEncoder): PassageEncoder {
  return encoderOf(model, fingerprintOf(model.encoder.weights, model.encoder.settings, model.precision));
}

/**
 * Embeds the database with the model's present weights; evaluations on several files share it. With `root`, the vectors are taken from there,
 * or kept there.
 */
async function indexWith(
  model: TrainableEncoder,
  documents: readonly Document[],
  { reporter, signal }: StageContext,
  root?: string,
): Promise<IndexedEncoder> {
  // Without a folder the fingerprint is never compared.
  const encoder = root === undefined ? encoderOf(model, "in training") : presentEncoder(model);
  // An evaluation's questions are few, and each evaluation has vectors of its own: no graph pays.
  return { encoder, index: await openIndex(documents, encoder, { reporter, signal, indexPath: root, questions: 0 }) };
}

const testFigures = ({ figures, scores }: RetrievalEvaluation): TestFigures => ({
  figures,
  rows: scores.map((score) => score.figures),
});

/** The same figures of a retriever that is not being trained. */
export async function baselineFigures(
  retriever: Retriever,
  questions: readonly RetrievalExample[],
  { reporter, signal }: StageContext,
): Promise<TestFigures> {
  return testFigures(await evaluateRetriever(retriever, { questions, reporter, signal }));
}

const kindOf = ({ alpha }: Place): "steps" | "shares" => (alpha === undefined ? "steps" : "shares");

/**
 * Measures the model's present weights. The vectors of the best evaluation so far are held: what is measured of what is kept in the end need
 * not embed the database again. Best by the rule of the training run: the greatest figure, the earliest of equal ones; of steps and of shares
 * between base and tuned each.
 */
export class ModelInTraining {
  private readonly best = new Map<"steps" | "shares", { place: Place; value: number; indexed: IndexedEncoder }>();

  constructor(
    private readonly settings: TrainRetrieverSettings,
    private readonly model: TrainableEncoder,
    readonly documents: readonly Document[],
    private readonly context: StageContext,
    /** Before `_retr` in the names of figures: `eval`, or `eval_of_5000` for a part of the database. */
    private readonly split = "eval",
  ) {}

  /** The figure that chooses the best checkpoint, as it is named here. */
  get metric(): string {
    return `${this.split}_retr/${this.settings.metric_for_best_model.replace(SPLIT, "")}`;
  }

  /** The eval split's figures, and the deciding one question by question. */
  async evaluate(place: Place, questions: readonly RetrievalExample[]): Promise<Evaluation> {
    const { metric, split } = this;
    const root = place.step === 0 ? this.settings.index_path : undefined;
    const indexed = await indexWith(this.model, this.documents, this.context, root);
    const { reporter, signal } = this.context;
    const { figures, scores } = await evaluateRetrieval({ ...indexed, questions, reporter, signal });
    const named = withSplit(split, figures);
    const value = named[metric] as number;
    const held = this.best.get(kindOf(place));
    if (held === undefined || value > held.value) this.best.set(kindOf(place), { place, value, indexed });
    return { figures: named, values: scores.map((score) => withSplit(split, score.figures)[metric] as number) };
  }

  /** `document_recall/recall1`, `document_recall/recall4`, `mrr`, … on the questions kept apart. */
  async test(place: Place, questions: readonly RetrievalExample[]): Promise<TestFigures> {
    const { reporter, signal } = this.context;
    return testFigures(await evaluateRetrieval({ ...(await this.indexed(place)), questions, reporter, signal }));
  }

  /** The database with the vectors of the present weights, which are those of `place`: held, or embedded (as after a run that was resumed). */
  async indexed(place: Place): Promise<IndexedEncoder> {
    const held = this.best.get(kindOf(place));
    if (held?.place.step === place.step && held.place.alpha === place.alpha) return held.indexed;
    const indexed = await indexWith(this.model, this.documents, this.context);
    this.best.set(kindOf(place), { place, value: held?.value ?? Number.NEGATIVE_INFINITY, indexed });
    return indexed;
  }

  /** Keeps the vectors of the present weights for those who load them. */
  async keep({ index }: IndexedEncoder, root: string): Promise<void> {
    const encoder = presentEncoder(this.model);
    await keepIndex(index, encoder, root);
  }
}
