import { basename, join } from "node:path";
import { DataError, type Reporter, UserError } from "@rag-ft/core";
import { input, type Value } from "@rag-ft/onnx";
import { loadDenseWeights } from "../checkpoint/dense-files.js";
import { readEncoderSettings } from "../checkpoint/read-encoder-settings.js";
import { encoderArchitecture } from "../graph/architectures.js";
import { readConfig } from "../graph/config.js";
import { matchWeights, Parameters } from "../graph/parameters.js";
import { resolveModelFolder } from "../hub/resolve-model-folder.js";
import { loadTokenizer } from "../tokenizer/load-tokenizer.js";
import type { Tokenizer } from "../tokenizer/tokenizer.js";
import { withinVocabulary } from "../tokenizer/within-vocabulary.js";
import { loadWeights } from "../weights/load-weights.js";
import type { WeightReader } from "../weights/restore-weights.js";
import type { WeightTensor } from "../weights/weight-tensor.js";
import type { DropoutSites } from "./dropout.js";
import type { EncoderArchitecture, EncoderGraph } from "./encoder-architecture.js";
import { defaultEncoderSettings, type EncoderSettings } from "./encoder-settings.js";
import { type DenseLayer, textVectors, type VectorGraph, withHead } from "./sentence-head.js";

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
  graph: VectorGraph;
  /** By Hugging Face's names, exactly those that the graph reads. */
  weights: Map<string, WeightTensor>;
  /** Reads such weights from this folder, or from one of a checkpoint. */
  readWeights: WeightReader;
  tokenizer: Tokenizer;
  settings: EncoderSettings;
}

/** Inputs and sentence vectors [batch, dimensions] (not normalised) of an encoder's graph. */
export function sentenceVectors(graph: VectorGraph, parameters: Parameters, dropout?: DropoutSites): Value {
  const mask = input("mask", "int64", ["batch", "tokens"]);
  const ids = input("ids", "int64", ["batch", "tokens"]);
  return textVectors(graph, parameters, { ids, mask, ...(dropout ? { dropout } : {}) });
}

/**
 * Loads an encoder from a folder or hub id. Settings come, in this order, from `overrides`, from the folder's
 * sentence-transformers files, from the defaults for its name.
 */
export async function loadEncoder(nameOrFolder: string, options: EncoderOptions): Promise<LoadedEncoder> {
  const folder = await resolveModelFolder(nameOrFolder, { ...options, files: "all" });
  const config = await readConfig(folder);
  const architecture = encoderArchitecture(config, folder, options.architectures);
  const body = architecture.read(config, folder);
  const tokenizer = withinVocabulary(await loadTokenizer(folder), Number(config.vocab_size), folder);
  const saved = await readEncoderSettings(folder);
  const given = Object.fromEntries(Object.entries(options.overrides ?? {}).filter(([, value]) => value !== undefined));
  const name = String(config._name_or_path || "");
  const defaults = defaultEncoderSettings(
    /e5/i.test(name) ? name : `${nameOrFolder}/${basename(folder)}`,
    Math.min(body.maxTokens, tokenizer.modelMaxLength ?? body.maxTokens),
    architecture.defaultPooling,
  );
  const settings: EncoderSettings = {
    ...defaults,
    ...(saved.pooling ? { pooling: saved.pooling } : {}),
    ...(saved.similarity ? { similarity: saved.similarity } : {}),
    ...(saved.queryPrefix !== undefined ? { query_prefix: saved.queryPrefix } : {}),
    ...(saved.passagePrefix !== undefined ? { passage_prefix: saved.passagePrefix } : {}),
    ...(saved.maxSeqLength ? { max_length: Math.min(saved.maxSeqLength, body.maxTokens) } : {}),
    ...(saved.truncateDim ? { truncate_dim: saved.truncateDim } : {}),
    ...given,
  };
  if (settings.max_length > body.maxTokens) {
    throw new UserError(
      `${folder}: max_length is ${settings.max_length}, but the model takes at most ${body.maxTokens} tokens.`,
    );
  }
  const dense = saved.dense ?? [];
  const graph = vectorGraph(body, dense, settings, folder);
  const parameters = new Parameters();
  sentenceVectors(graph, parameters);
  const readWeights: WeightReader = async (from) => {
    const own = await loadWeights(from);
    const found = new Map([...(architecture.rename?.(own) ?? own), ...(await loadDenseWeights(from, dense))]);
    return matchWeights(parameters, found, from, architecture.weightPrefixes);
  };
  const weights = await readWeights(folder);
  return { folder, architecture, graph, weights, readWeights, tokenizer, settings };
}

/** The graph with what the folder and the settings ask for after the hidden states, checked. */
function vectorGraph(
  body: EncoderGraph,
  dense: readonly DenseLayer[],
  { pooling, truncate_dim: truncate }: EncoderSettings,
  folder: string,
): VectorGraph {
  const graph = withHead(body, { max: pooling === "max", first: pooling === "cls", dense });
  let width = body.dimensions;
  for (const layer of dense) {
    if (layer.inputs !== width) {
      throw new DataError(
        `${join(folder, layer.folder, "config.json")}: in_features is ${layer.inputs}, but the vectors before it have ${width} entries.`,
      );
    }
    width = layer.outputs;
  }
  if (truncate === undefined) return graph;
  if (truncate > width) {
    throw new UserError(`${folder}: truncate_dim is ${truncate}, but the model's vectors have ${width} entries.`);
  }
  return withHead(body, { max: pooling === "max", dense, truncate });
}
