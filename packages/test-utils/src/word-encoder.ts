export interface WordEncoderOptions {
  similarity?: "cosine" | "dot";
  fingerprint?: string;
}

/** An encoder whose every figure can be worked out by hand; it has the shape of retrieval's `PassageEncoder`. */
export interface WordEncoder {
  readonly dimensions: number;
  readonly settings: {
    pooling: "mean" | "cls";
    similarity: "cosine" | "dot";
    query_prefix: string;
    passage_prefix: string;
    max_length: number;
  };
  readonly fingerprint: string;
  /** The texts of each call so far. */
  readonly calls: { kind: "query" | "passage"; texts: string[] }[];
  embed(
    texts: readonly string[],
    kind: "query" | "passage",
    options?: { signal?: AbortSignal; onProgress?: (done: number, total: number) => void },
  ): Promise<Float32Array>;
  close(): Promise<void>;
}

/**
 * One dimension a word of `vocabulary`: 1 where the text holds the word (whole, lower case), else 0. With `dot` (default) an
 * inner product is the number of words shared; with `cosine` the vectors are divided by their length.
 */
export function createWordEncoder(vocabulary: readonly string[], options: WordEncoderOptions = {}): WordEncoder {
  const calls: WordEncoder["calls"] = [];
  const similarity = options.similarity ?? "dot";
  return {
    dimensions: vocabulary.length,
    settings: { pooling: "mean", similarity, query_prefix: "", passage_prefix: "", max_length: 512 },
    fingerprint: options.fingerprint ?? `words:${similarity}:${vocabulary.join(",")}`,
    calls,
    async embed(texts, kind, embedOptions) {
      calls.push({ kind, texts: [...texts] });
      const vectors = new Float32Array(texts.length * vocabulary.length);
      texts.forEach((text, row) => {
        const words = new Set(text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []);
        const hits = vocabulary.filter((word) => words.has(word)).length;
        const value = similarity === "cosine" && hits > 0 ? 1 / Math.sqrt(hits) : 1;
        vocabulary.forEach((word, column) => {
          if (words.has(word)) vectors[row * vocabulary.length + column] = value;
        });
      });
      embedOptions?.onProgress?.(texts.length, texts.length);
      return vectors;
    },
    async close() {},
  };
}
