import type { Similarity } from "@rag-ft/train";
import type { Pooling } from "./pooling.js";

/** How texts become vectors: the same in training, indexing and test, saved with the checkpoint. */
export interface EncoderSettings {
  pooling: Pooling;
  similarity: Similarity;
  query_prefix: string;
  passage_prefix: string;
  /** Longest input in tokens; the rest of a text is cut off. */
  max_length: number;
  /** Vectors are cut to so many entries (Kusupati et al. 2022); whole when left out. */
  truncate_dim?: number;
}

/** E5 models (Wang et al. 2022) are trained with these prefixes and lose much without them. */
const E5_PREFIXES = { query_prefix: "query: ", passage_prefix: "passage: " };

/** Longest input when neither model nor user says otherwise, as in the reference. */
const DEFAULT_MAX_LENGTH = 512;

/** Settings for a model that says nothing of its own, by its name: E5's prefixes for E5 models. */
export function defaultEncoderSettings(name: string, maxTokens: number, pooling: Pooling = "mean"): EncoderSettings {
  const isE5 = /(^|[-_/])(multilingual-)?e5([-_]|$)/i.test(name);
  return {
    pooling,
    similarity: "cosine",
    ...(isE5 ? E5_PREFIXES : { query_prefix: "", passage_prefix: "" }),
    max_length: Math.min(maxTokens, DEFAULT_MAX_LENGTH),
  };
}
