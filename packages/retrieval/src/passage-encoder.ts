/** How texts become vectors; saved with an encoder's checkpoint so that training, indexing and test agree. */
export interface EncoderSettings {
  pooling: "mean" | "cls";
  similarity: "cosine" | "dot";
  query_prefix: string;
  passage_prefix: string;
  /** In tokens. */
  max_length: number;
}

export interface EmbedOptions {
  signal?: AbortSignal;
  onProgress?: (done: number, total: number) => void;
}

/** What retrieval asks of an encoder. */
export interface PassageEncoder {
  readonly dimensions: number;
  readonly settings: EncoderSettings;
  /** Hash of weights and settings: equal fingerprints give equal vectors. */
  readonly fingerprint: string;
  /** `[texts, dimensions]`, row-major; L2-normalised when the similarity is cosine, so that the inner product ranks. */
  embed(texts: readonly string[], kind: "query" | "passage", options?: EmbedOptions): Promise<Float32Array>;
  close(): Promise<void>;
}
