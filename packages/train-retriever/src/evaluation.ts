import type { Document, StageContext } from "@rag-ft/core";
import { fingerprintOf, type TrainableEncoder } from "@rag-ft/models";
import {
  evaluateRetrieval,
  evaluateRetriever,
  indexFolder,
  keepIndex,
  openIndex,
  type PassageEncoder,
  type PassageIndex,
  type Retriever,
} from "@rag-ft/retrieval";
import type { Evaluation, Figures } from "@rag-ft/train";
import type { RetrievalExample } from "./retrieval-example.js";

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
  return encoderOf(model, fingerprintOf(model.encoder.weights, model.encoder.settings));
}

/**
 * Embeds the database with the model's present weights; evaluations on several files share it. With `root`, the vectors are taken from there,
 * or kept there.
 */
export async function indexWith(
  model: TrainableEncoder,
  documents: readonly Document[],
  { reporter, signal }: StageContext,
  root?: string,
): Promise<IndexedEncoder> {
  // Without a folder the fingerprint is never compared.
  const encoder = root === undefined ? encoderOf(model, "in training") : presentEncoder(model);
  const indexPath = root && indexFolder(root, encoder);
  return { encoder, index: await openIndex(documents, encoder, { reporter, signal, indexPath }) };
}

/** Keeps the vectors of the model's present weights for those who load it. */
export async function keepVectors(model: TrainableEncoder, { index }: IndexedEncoder, root: string): Promise<void> {
  const encoder = presentEncoder(model);
  await keepIndex(index, encoder, indexFolder(root, encoder));
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
  const values = scores.map((score) => withSplit("eval", score.figures)[metric] as number);
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
 * The vectors of the best evaluation so far: what is measured of what is kept in the end need not embed the database again. Best by the rule of
 * the training run: the greatest figure, the earliest of equal ones.
 */
export class BestVectors {
  private best: { at: number; value: number; indexed: IndexedEncoder } | undefined;

  /** `at`: the step, or the share of the tuned weights. */
  offer(at: number, value: number, indexed: IndexedEncoder): void {
    if (this.best === undefined || value > this.best.value) this.best = { at, value, indexed };
  }

  /** Undefined when these vectors are not held, as after a run that was resumed. */
  of(at: number): IndexedEncoder | undefined {
    return this.best?.at === at ? this.best.indexed : undefined;
  }
}
