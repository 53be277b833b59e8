import { basename } from "node:path";
import { type Reporter, UserError } from "@rag-ft/core";
import { input, matmul, reshape, type Value } from "@rag-ft/onnx";
import { readEncoderSettings } from "../checkpoint/read-encoder-settings.js";
import { encoderArchitecture } from "../graph/architectures.js";
import { readConfig } from "../graph/config.js";
import { matchWeights, Parameters } from "../graph/parameters.js";
import { resolveModelFolder } from "../hub/resolve-model-folder.js";
import { loadTokenizer } from "../tokenizer/load-tokenizer.js";
import type { Tokenizer } from "../tokenizer/tokenizer.js";
import { withinVocabulary } from "../tokenizer/within-vocabulary.js";
import { loadWeights } from "../weights/load-weights.js";
import type { WeightTensor } from "../weights/weight-tensor.js";
import type { DropoutSites } from "./dropout.js";
import type { EncoderArchitecture, EncoderGraph } from "./encoder-architecture.js";
import { defaultEncoderSettings, type EncoderSettings } from "./encoder-settings.js";

export interface LoadOptions {
  env: Readonly<Record<string, string | undefined>>;
  reporter: Reporter;
  signal?: AbortSignal;
}

export interface EncoderOptions extends LoadOptions {
  overrides?: Partial<EncoderSettings>;
  /** Architectures beside those of this package. */
  architectures?: readonly EncoderArchitecture[];
}

/** An encoder in memory: its graph, weights, tokenizer and settings. */
export interface LoadedEncoder {
  folder: string;
  architecture: EncoderArchitecture;
  graph: EncoderGraph;
  /** By Hugging Face's names, exactly those that the graph reads. */
  weights: Map<string, WeightTensor>;
  tokenizer: Tokenizer;
  settings: EncoderSettings;
}

/** Inputs and sentence vectors [batch, dimensions] (not normalised) of an encoder's graph. */
export function sentenceVectors(graph: EncoderGraph, parameters: Parameters, dropout?: DropoutSites): Value {
  const hidden = graph.hiddenStates(parameters, {
    ids: input("ids", "int64", ["batch", "tokens"]),
    mask: input("mask", "int64", ["batch", "tokens"]),
    dropout,
  });
  // Pooling as a product with each token's weight serves mean and CLS alike.
  const pooled = matmul(input("pool", "float32", ["batch", 1, "tokens"]), hidden);
  return reshape(pooled, ["batch", graph.dimensions]);
}

/**
 * Loads an encoder from a folder or hub id. Settings come, in this order, from `overrides`, from the folder's
 * sentence-transformers files, from the defaults for its name.
 */
export async function loadEncoder(nameOrFolder: string, options: EncoderOptions): Promise<LoadedEncoder> {
  const folder = await resolveModelFolder(nameOrFolder, { ...options, files: "all" });
  const config = await readConfig(folder);
  const architecture = encoderArchitecture(config, folder, options.architectures);
  const graph = architecture.read(config, folder);
  const parameters = new Parameters();
  sentenceVectors(graph, parameters);
  const weights = matchWeights(parameters, await loadWeights(folder), folder, architecture.weightPrefixes);
  const tokenizer = withinVocabulary(await loadTokenizer(folder), Number(config.vocab_size), folder);
  const saved = await readEncoderSettings(folder);
  const given = Object.fromEntries(Object.entries(options.overrides ?? {}).filter(([, value]) => value !== undefined));
  const name = String(config._name_or_path || "");
  const defaults = defaultEncoderSettings(
    /e5/i.test(name) ? name : `${nameOrFolder}/${basename(folder)}`,
    graph.maxTokens,
  );
  const settings: EncoderSettings = {
    ...defaults,
    ...(saved.pooling ? { pooling: saved.pooling } : {}),
    ...(saved.similarity ? { similarity: saved.similarity } : {}),
    ...(saved.queryPrefix !== undefined ? { query_prefix: saved.queryPrefix } : {}),
    ...(saved.passagePrefix !== undefined ? { passage_prefix: saved.passagePrefix } : {}),
    ...(saved.maxSeqLength ? { max_length: Math.min(saved.maxSeqLength, graph.maxTokens) } : {}),
    ...given,
  };
  if (settings.max_length > graph.maxTokens) {
    throw new UserError(
      `${folder}: max_length is ${settings.max_length}, but the model takes at most ${graph.maxTokens} tokens.`,
    );
  }
  return { folder, architecture, graph, weights, tokenizer, settings };
}
