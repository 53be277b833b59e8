import type { SessionSettings } from "@rag-ft/onnx";
import type { LoraSettings } from "@rag-ft/train";
import { answerLoss } from "../decoder/answer-loss.js";
import type { LoadedDecoder } from "../decoder/load-decoder.js";
import { type LoadedEncoder, sentenceVectors } from "../encoder/load-encoder.js";
import type { FrozenPart } from "../frozen/frozen-part.js";
import { Parameters } from "../graph/parameters.js";
import { type LoadedScorer, pairLogits } from "../scorer/load-scorer.js";
import { headModules } from "../scorer/scorer-heads.js";
import { LoraAdapters } from "./lora-adapters.js";

/** Puts adapters on an encoder in memory, above the frozen part. */
export function encoderAdapters(
  { graph, weights }: LoadedEncoder,
  lora: LoraSettings,
  session: SessionSettings = {},
  frozen?: FrozenPart,
): LoraAdapters {
  const parameters = new Parameters();
  sentenceVectors(graph, parameters);
  return new LoraAdapters(parameters.linearLayers(), weights, lora, session, { frozen });
}

/** Puts adapters on a decoder in memory, above the frozen part. */
export function decoderAdapters(
  { graph, weights }: LoadedDecoder,
  lora: LoraSettings,
  session: SessionSettings = {},
  frozen?: FrozenPart,
): LoraAdapters {
  const parameters = new Parameters();
  answerLoss(graph, parameters);
  return new LoraAdapters(parameters.linearLayers(), weights, lora, session, { frozen });
}

/** Puts adapters on a reranker in memory, above the frozen part. A head that was just made is trained whole beside them; another stays as it is. */
export function scorerAdapters(
  scorer: LoadedScorer,
  lora: LoraSettings,
  session: SessionSettings = {},
  frozen?: FrozenPart,
): LoraAdapters {
  const parameters = new Parameters();
  pairLogits(scorer, parameters);
  const whole = scorer.isHeadNew ? [...headModules(scorer).weights.keys()] : [];
  return new LoraAdapters(parameters.linearLayers(), scorer.weights, lora, session, { whole, frozen });
}
