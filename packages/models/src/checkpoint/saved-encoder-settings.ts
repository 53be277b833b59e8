/** How texts become one vector each and how vectors are compared; saved with an encoder so that all stages agree. */
export interface SavedEncoderSettings {
  /** Mean over the tokens of a text, or the first token's vector. */
  pooling: "mean" | "cls";
  similarity: "cosine" | "dot";
  /** Put before each question (E5: `query: `). */
  queryPrefix: string;
  /** Put before each passage (E5: `passage: `). */
  passagePrefix: string;
  /** Longest text in tokens, special tokens included. */
  maxSeqLength: number;
}
