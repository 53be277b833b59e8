import type { Document, StageContext } from "@rag-ft/core";
import type { TrainableEncoder } from "@rag-ft/models";
import {
  evaluateRetrieval,
  evaluateRetriever,
  figuresOfQuestion,
  openIndex,
  type PassageEncoder,
  type PassageIndex,
  type Retriever,
} from "@rag-ft/retrieval";
import type { Evaluation, Figures } from "@rag-ft/train";
import type { RetrievalExample } from "./examples.js";

export interface IndexedEncoder {
  index: PassageIndex;
  encoder: PassageEncoder;
}

/** Embeds the database with the model's present weights; evaluations on several files share it. */
export async function indexWith(
  model: TrainableEncoder,
  documents: readonly Document[],
  { reporter, signal }: StageContext,
): Promise<IndexedEncoder> {
  const encoder: PassageEncoder = {
    dimensions: model.encoder.graph.dimensions,
    settings: model.encoder.settings,
    fingerprint: "in training", // never compared: no index of a model in training is kept on disk
    embed: model.embed,
    close: async () => {},
  };
  return { encoder, index: await openIndex(documents, encoder, { reporter, signal }) };
}

/** `document_recall/recall1`, `document_recall/recall4`, `mrr`, … on a file's questions. */
export async function figuresOf(
  indexed: IndexedEncoder,
  questions: readonly RetrievalExample[],
  { reporter, signal }: StageContext,
): Promise<Figures> {
  return (await evaluateRetrieval({ ...indexed, questions, reporter, signal })).figures;
}

/** The eval split's figures, and the deciding one question by question. */
export async function evaluationOf(
  indexed: IndexedEncoder,
  questions: readonly RetrievalExample[],
  metric: string,
  { reporter, signal }: StageContext,
): Promise<Evaluation> {
  const { figures, scores } = await evaluateRetrieval({ ...indexed, questions, reporter, signal });
  const values = scores.map((score) => withSplit("eval", figuresOfQuestion(score))[metric] as number);
  return { figures: withSplit("eval", figures), values };
}

/** The same figures of a retriever that is not being trained. */
export async function baselineFigures(
  retriever: Retriever,
  questions: readonly RetrievalExample[],
  { reporter, signal }: StageContext,
): Promise<Figures> {
  return (await evaluateRetriever(retriever, { questions, reporter, signal })).figures;
}

/** Names with the split before them, as the reference's: `eval_retr/document_recall/recall4`. */
export function withSplit(split: string, figures: Figures): Figures {
  return Object.fromEntries(Object.entries(figures).map(([name, value]) => [`${split}_retr/${name}`, value]));
}

/**
 * The vectors of the best evaluation so far: what is measured of the best checkpoint in the end need not embed the database again. Best by
 * the rule of the training run: the greatest figure, the earliest of equal ones.
 */
export class BestVectors {
  private best: { step: number; value: number; indexed: IndexedEncoder } | undefined;

  offer(step: number, value: number, indexed: IndexedEncoder): void {
    if (this.best === undefined || value > this.best.value) this.best = { step, value, indexed };
  }

  /** Undefined when the step's vectors are not held, as after a run that was resumed. */
  of(step: number): IndexedEncoder | undefined {
    return this.best?.step === step ? this.best.indexed : undefined;
  }
}
