import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { InternalError } from "@rag-ft/core";
import { answerLoss } from "../decoder/answer-loss.js";
import type { LoadedDecoder } from "../decoder/load-decoder.js";
import { type LoadedEncoder, sentenceVectors } from "../encoder/load-encoder.js";
import type { Pooling } from "../encoder/pooling.js";
import { withHead } from "../encoder/sentence-head.js";
import { decoderArchitecture, encoderArchitecture } from "../graph/architectures.js";
import { readConfig } from "../graph/config.js";
import { matchWeights, Parameters } from "../graph/parameters.js";
import type { Tokenizer } from "../tokenizer/tokenizer.js";
import { loadWeights } from "../weights/load-weights.js";
import type { WeightReader } from "../weights/restore-weights.js";
import type { WeightTensor } from "../weights/weight-tensor.js";

/** One of each family of decoders. */
export const TINY_DECODERS = [
  "tiny-llama",
  "tiny-llama-untied",
  "tiny-mistral",
  "tiny-qwen2",
  "tiny-qwen3",
  "tiny-gemma3",
  "tiny-smollm3",
  "tiny-granite",
];

/** Examples of ids that stored losses and gradients of tiny decoders are of. */
export const TINY_EXAMPLES = [
  { prompt: [1, 5, 9, 30, 7], answer: [11, 12, 2] },
  { prompt: [1, 17, 4], answer: [38, 2] },
];

/** Folder of a tiny model with PyTorch's references (scripts/make-gradient-references.py). */
export function fixture(name: string): string {
  return join(fileURLToPath(new URL("../fixtures", import.meta.url)), name);
}

/** A tensor of a reference file. */
export function data(tensors: ReadonlyMap<string, WeightTensor>, name: string): Float32Array {
  const found = tensors.get(name);
  if (!found) throw new InternalError(`the reference has no ${name}`);
  return found.data;
}

/** A tiny encoder in memory; it has no tokenizer. */
export async function tinyEncoder(name: string, pooling: Pooling): Promise<LoadedEncoder> {
  const folder = fixture(name);
  const config = await readConfig(folder);
  const architecture = encoderArchitecture(config, folder);
  const graph = withHead(architecture.read(config, folder), { max: pooling === "max" });
  const parameters = new Parameters();
  sentenceVectors(graph, parameters);
  const readWeights: WeightReader = async (from) => {
    const saved = await loadWeights(from);
    return matchWeights(parameters, architecture.rename?.(saved) ?? saved, from, architecture.weightPrefixes);
  };
  const weights = await readWeights(folder);
  const settings = { pooling, similarity: "dot", query_prefix: "", passage_prefix: "", max_length: 16 } as const;
  return { folder, architecture, graph, weights, readWeights, tokenizer: {} as Tokenizer, settings };
}

/** A tiny decoder in memory; it has no tokenizer. */
export async function tinyDecoder(name: string): Promise<LoadedDecoder> {
  const folder = fixture(name);
  const graph = decoderArchitecture(await readConfig(folder), folder).read(await readConfig(folder), folder);
  const parameters = new Parameters();
  answerLoss(graph, parameters);
  const readWeights: WeightReader = async (from) => matchWeights(parameters, await loadWeights(from), from);
  return { folder, graph, weights: await readWeights(folder), readWeights, tokenizer: {} as Tokenizer };
}
