import type { LoadOptions } from "../encoder/load-encoder.js";
import { decoderArchitecture } from "../graph/architectures.js";
import { readConfig } from "../graph/config.js";
import { matchWeights, Parameters } from "../graph/parameters.js";
import { commitOfSnapshot } from "../hub/hub-cache.js";
import { resolveModelFolder } from "../hub/resolve-model-folder.js";
import { loadTokenizer } from "../tokenizer/load-tokenizer.js";
import type { Tokenizer } from "../tokenizer/tokenizer.js";
import { withinVocabulary } from "../tokenizer/within-vocabulary.js";
import type { HalfType } from "../weights/half-weight.js";
import { loadWeights } from "../weights/load-weights.js";
import type { WeightReader } from "../weights/restore-weights.js";
import { weightShapes } from "../weights/weight-shapes.js";
import type { WeightTensor } from "../weights/weight-tensor.js";
import { answerLoss } from "./answer-loss.js";
import type { DecoderArchitecture, DecoderGraph } from "./decoder-architecture.js";

export interface DecoderOptions extends LoadOptions {
  /** Architectures beside those of this package. */
  architectures?: readonly DecoderArchitecture[];
  /** Type of matrices in memory, for a model whose adapters alone are trained; default: single precision. */
  matrices?: HalfType | undefined;
}

/** A decoder in memory. */
export interface LoadedDecoder {
  folder: string;
  graph: DecoderGraph;
  /** By Hugging Face's names, exactly those that the graph reads. */
  weights: Map<string, WeightTensor>;
  tokenizer: Tokenizer;
  /** Reads such weights from this folder, or from one of a checkpoint. */
  readWeights: WeightReader;
}

/** A decoder without its weights: enough to make prompts of, and to know what weights it has. */
export interface DecoderOutline {
  folder: string;
  /** The commit of a model of the hub; undefined of a folder. */
  commit: string | undefined;
  graph: DecoderGraph;
  tokenizer: Tokenizer;
  /** @throws DataError when the safetensors of a folder are not weights of this architecture and these sizes. */
  requireWeights(folder: string): Promise<void>;
}

/** Reads configuration and tokenizer of a decoder; of a model of the hub, nothing else is downloaded. */
export async function outlineDecoder(nameOrFolder: string, options: DecoderOptions): Promise<DecoderOutline> {
  const folder = await resolveModelFolder(nameOrFolder, { ...options, files: "tokenizer" });
  const config = await readConfig(folder);
  const architecture = decoderArchitecture(config, folder, options.architectures);
  const graph = architecture.read(config, folder);
  const parameters = new Parameters();
  answerLoss(graph, parameters);
  return {
    folder,
    commit: commitOfSnapshot(folder),
    graph,
    tokenizer: withinVocabulary(await loadTokenizer(folder), Number(config.vocab_size), folder),
    async requireWeights(from) {
      matchWeights(parameters, await weightShapes(from), from, architecture.weightPrefixes);
    },
  };
}

/** Loads a decoder from a folder or hub id. */
export async function loadDecoder(nameOrFolder: string, options: DecoderOptions): Promise<LoadedDecoder> {
  const folder = await resolveModelFolder(nameOrFolder, { ...options, files: "all" });
  const config = await readConfig(folder);
  const architecture = decoderArchitecture(config, folder, options.architectures);
  const graph = architecture.read(config, folder);
  const parameters = new Parameters();
  answerLoss(graph, parameters);
  const read = async (from: string, matrices?: HalfType): Promise<Map<string, WeightTensor>> =>
    matchWeights(parameters, await loadWeights(from, matrices), from, architecture.weightPrefixes);
  return {
    folder,
    graph,
    weights: await read(folder, options.matrices),
    tokenizer: withinVocabulary(await loadTokenizer(folder), Number(config.vocab_size), folder),
    readWeights: (from) => read(from),
  };
}
