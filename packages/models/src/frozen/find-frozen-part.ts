import { answerLoss } from "../decoder/answer-loss.js";
import type { LoadedDecoder } from "../decoder/load-decoder.js";
import { type LoadedEncoder, sentenceVectors } from "../encoder/load-encoder.js";
import { LayerBoundary } from "../graph/layer-boundary.js";
import { Parameters } from "../graph/parameters.js";
import { type LoadedScorer, pairLogits } from "../scorer/load-scorer.js";
import { type FrozenPart, frozenPartOf, type ModelInFolder } from "./frozen-part.js";

function frozenPart(
  layers: number,
  model: ModelInFolder,
  build: (parameters: Parameters) => unknown,
): FrozenPart | undefined {
  if (layers === 0) return undefined;
  const boundary = new LayerBoundary(layers);
  build(new Parameters({ boundary }));
  return frozenPartOf(boundary, model);
}

/** What of an encoder is frozen with so many layers; undefined for 0. @throws UserError for too many */
export function frozenEncoderPart(encoder: LoadedEncoder, layers: number): FrozenPart | undefined {
  return frozenPart(layers, encoder, (parameters) => sentenceVectors(encoder.graph, parameters));
}

/** The same of a decoder. */
export function frozenDecoderPart(decoder: LoadedDecoder, layers: number): FrozenPart | undefined {
  return frozenPart(layers, decoder, (parameters) => answerLoss(decoder.graph, parameters));
}

/** The same of a reranker. */
export function frozenScorerPart(scorer: LoadedScorer, layers: number): FrozenPart | undefined {
  return frozenPart(layers, scorer, (parameters) => pairLogits(scorer, parameters));
}
