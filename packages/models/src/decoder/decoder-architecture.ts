import type { InPlaceCache, Value } from "@rag-ft/onnx";
import type { RawConfig } from "../graph/config.js";
import type { Parameters } from "../graph/parameters.js";

export interface DecoderInputs {
  /** int64 [batch, tokens] */
  ids: Value;
  /** int64 [batch, tokens], or [1] = 0 for positions from 0 on */
  positions: Value;
  /** For inference with a cache; without, attention is causal from position 0 on. */
  cache?: DecoderCache;
  /** The same with a cache whose memory is written to where it lies. */
  inPlace?: InPlaceDecoderCache;
  /** int64 [kept]: rows (batch index · tokens + position) whose hidden states are wanted; all when left out. */
  rows?: Value;
}

export interface DecoderCache {
  /** Keys and values of earlier tokens, [batch, key/value heads, past, head size], one pair a layer */
  past: readonly (readonly [key: Value, value: Value])[];
  /** Added to attention scores, [batch, 1, tokens, keys]; keys = past + tokens. @param window Keys that a query sees, itself included; all when left out */
  bias(window?: number): Value;
}

/** See `inPlaceAttention` for what it may hold. */
export interface InPlaceDecoderCache extends Pick<InPlaceCache, "last" | "longest"> {
  /** Keys and values, [batch, key/value heads, capacity, `cachedHeadSize`], one pair a layer */
  stored: readonly (readonly [key: Value, value: Value])[];
}

export interface DecoderOutputs {
  /** Final hidden states, normalised: [rows = batch · tokens, hidden], or of the rows wanted */
  hidden: Value;
  /** Keys and values with the past before them, one pair a layer */
  present: (readonly [key: Value, value: Value])[];
}

/** A decoder as its config describes it. */
export interface DecoderGraph {
  hiddenSize: number;
  vocabularySize: number;
  /** Most tokens of a training example. */
  maxTokens: number;
  layers: number;
  heads: number;
  keyValueHeads: number;
  headSize: number;
  /** Builds the graph up to the final norm. */
  hiddenStates(parameters: Parameters, inputs: DecoderInputs): DecoderOutputs;
  /** The output head's matrix [vocabulary, hidden]. */
  head(parameters: Parameters): Value;
}

/** A row of the table of decoder architectures: adding one is a folder with this. */
export interface DecoderArchitecture {
  modelTypes: readonly string[];
  weightPrefixes: readonly string[];
  read(config: RawConfig, folder: string): DecoderGraph;
}
