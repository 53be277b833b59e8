import { DataError, hashText, serverIdentity } from "@rag-ft/core";
import { EMBEDDING_REQUEST_TEXTS, type OpenLanguageModelOptions, openEmbeddingModel } from "@rag-ft/llm";
import type { PassageEncoder } from "./passage-encoder.js";

/** Scales a vector to length 1; one of length 0 stays. */
function normalise(vector: readonly number[]): number[] {
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  return length > 0 ? vector.map((value) => value / length) : [...vector];
}

export type OpenAiEncoderOptions = Pick<OpenLanguageModelOptions, "env" | "signal" | "requests" | "tally"> &
  Partial<Pick<OpenLanguageModelOptions, "reporter">>;

/** An embedding model behind OpenAI's API or a compatible one. One text is embedded at opening, to learn the dimensions and to fail before any work is done. */
export async function openOpenAiEncoder(name: string, options: OpenAiEncoderOptions): Promise<PassageEncoder> {
  const model = openEmbeddingModel(name, options);
  const [probe] = await model.embed(["dimensions"], { signal: options.signal });
  const dimensions = probe?.length ?? 0;
  return {
    dimensions,
    settings: { pooling: "mean", similarity: "cosine", query_prefix: "", passage_prefix: "", max_length: 8191 },
    fingerprint: hashText(`openai-embedding\n${serverIdentity(options.env)}\n${name}\n${dimensions}`),
    textsPerCall: EMBEDDING_REQUEST_TEXTS,
    async embed(texts, _kind, { signal = options.signal, onProgress } = {}) {
      const vectors = new Float32Array(texts.length * dimensions);
      for (const [row, vector] of (await model.embed(texts, { signal, onProgress })).entries()) {
        if (vector.length !== dimensions)
          throw new DataError(`${name}: expected vectors of ${dimensions} dimensions, received ${vector.length}.`);
        vectors.set(normalise(vector), row * dimensions);
      }
      return vectors;
    },
    async close() {},
  };
}
