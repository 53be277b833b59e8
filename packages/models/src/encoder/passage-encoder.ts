import { createHash } from "node:crypto";
import { CPU, createSession, type Precision, requireDevice, type SessionSettings } from "@rag-ft/onnx";
import { graphFormFor, Parameters } from "../graph/parameters.js";
import { hashWeight } from "../weights/hash-weight.js";
import type { WeightTensor } from "../weights/weight-tensor.js";
import { type EmbedOptions, embedTexts, type TextKind } from "./embed-texts.js";
import type { EncoderSettings } from "./encoder-settings.js";
import { type EncoderOptions, loadEncoder, sentenceVectors } from "./load-encoder.js";

/** Turns questions and passages into vectors. */
export interface PassageEncoder {
  readonly dimensions: number;
  readonly settings: EncoderSettings;
  /** Hash of weights and settings: vectors may be kept as long as it is the same. */
  readonly fingerprint: string;
  /** Of an encoder whose vectors cost money: texts of one request. What a request gave is kept at once. */
  readonly textsPerCall?: number;
  /** Likewise: the index that keeps what was bought, where no other is named. */
  readonly keptIn?: string;
  /** Vectors row-major [texts, dimensions], of length 1 when the similarity is cosine. */
  embed(texts: readonly string[], kind: TextKind, options?: EmbedOptions): Promise<Float32Array>;
  close(): Promise<void>;
}

/** SHA-256 of weights and settings, in hexadecimal, and of how they are multiplied where that is not in single precision. */
export function fingerprintOf(
  weights: ReadonlyMap<string, WeightTensor>,
  settings: EncoderSettings,
  precision: Precision = "fp32",
): string {
  const hash = createHash("sha256").update(JSON.stringify(settings));
  if (precision !== "fp32") hash.update(precision);
  for (const [name, { data }] of weights) hashWeight(hash, name, data);
  return hash.digest("hex");
}

/** Opens an encoder for inference: its weights are part of the compiled graph, which lets ONNX Runtime lay them out ahead. */
export async function openEncoder(
  nameOrFolder: string,
  options: EncoderOptions & SessionSettings,
): Promise<PassageEncoder> {
  await requireDevice(options.device ?? CPU);
  const encoder = await loadEncoder(nameOrFolder, options);
  const { graph, weights, settings } = encoder;
  const session = await createSession(
    { outputs: { vectors: sentenceVectors(graph, new Parameters(graphFormFor(options.device))) }, weights },
    options,
  );
  return {
    dimensions: graph.dimensions,
    settings,
    fingerprint: fingerprintOf(weights, settings, options.precision),
    embed: (texts, kind, embedOptions) =>
      embedTexts(
        encoder,
        async (batch) => (await session.run(batch.inputs)).vectors?.data as Float32Array,
        texts,
        kind,
        embedOptions,
      ),
    close: () => session.close(),
  };
}
