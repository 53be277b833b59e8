import type { Pooling } from "../encoder/pooling.js";
import type { DenseLayer } from "../encoder/sentence-head.js";

/** How texts become one vector each and how vectors are compared; saved with an encoder so that all stages agree. */
export interface SavedEncoderSettings {
  pooling: Pooling;
  similarity: "cosine" | "dot";
  /** Put before each question (E5: `query: `). */
  queryPrefix: string;
  /** Put before each passage (E5: `passage: `). */
  passagePrefix: string;
  /** Longest text in tokens, special tokens included. */
  maxSeqLength: number;
  /** Linear layers after pooling. */
  dense?: readonly DenseLayer[];
  /** Vectors are cut to so many entries. */
  truncateDim?: number;
}
