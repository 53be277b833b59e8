import type { Value } from "@rag-ft/onnx";
import type { RawConfig } from "../graph/config.js";
import type { Parameters } from "../graph/parameters.js";
import type { WeightTensor } from "../weights/weight-tensor.js";
import type { DropoutSites } from "./dropout.js";
import type { Pooling } from "./pooling.js";

export interface EncoderInputs {
  /** int64 [batch, tokens] */
  ids: Value;
  /** int64 [batch, tokens]: 1 for a token, 0 for padding */
  mask: Value;
  /** int64 [batch, tokens]; all 0 when left out */
  tokenTypes?: Value;
  /** In training only, and only where asked for. */
  dropout?: DropoutSites;
}

/** An encoder as its config describes it. */
export interface EncoderGraph {
  dimensions: number;
  /** Longest input in tokens. */
  maxTokens: number;
  /** Builds the graph: hidden states [batch, tokens, dimensions]. */
  hiddenStates(parameters: Parameters, inputs: EncoderInputs): Value;
  /**
   * The hidden state of each text's first token alone, [batch, dimensions], for what reads no other: of the last layer only what that needs is computed.
   * Left out where the architecture has no shorter way.
   */
  firstStates?(parameters: Parameters, inputs: EncoderInputs): Value;
}

/** A row of the table of encoder architectures: adding one is a folder with this. */
export interface EncoderArchitecture {
  /** Values of `model_type` in config.json. */
  modelTypes: readonly string[];
  /** Prefixes that checkpoints may carry before our weight names. */
  weightPrefixes: readonly string[];
  /** Whether the exported model takes `token_type_ids`. */
  hasTokenTypes: boolean;
  /** The weights by the graph's names, where published files have others. */
  rename?(weights: ReadonlyMap<string, WeightTensor>): Map<string, WeightTensor>;
  /** Pooling where neither the folder nor the user names one (default mean). */
  defaultPooling?: Pooling;
  /** Checks the config. */
  read(config: RawConfig, folder: string): EncoderGraph;
}
