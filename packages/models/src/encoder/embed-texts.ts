import { throwIfCancelled } from "@rag-ft/core";
import type { LoadedEncoder } from "./load-encoder.js";
import { createTokenBatch, encodeTruncated, planBatches, type TokenBatch } from "./token-batch.js";

export type TextKind = "query" | "passage";

export interface EmbedOptions {
  signal?: AbortSignal;
  onProgress?: (done: number, total: number) => void;
  /** Told how many tokens the texts have as they are read, prefixes and special tokens included; an encoder behind an API does not say. */
  onTokens?: (tokens: number) => void;
  /** The caller keeps the vectors: an encoder that keeps those it paid for need not. */
  keptByCaller?: boolean;
}

/** Token ids of passages that are embedded again and again: a training evaluates with other weights, not with other tokens. */
export class TokenMemory {
  private readonly kept = new Map<string, Int32Array>();
  private tokens = 0;

  /** @param limit Tokens that are held at most, 4 bytes each; texts beyond it are tokenised every time. */
  constructor(private readonly limit = 2 ** 26) {}

  idsOf(text: string, make: () => number[]): ArrayLike<number> & Iterable<number> {
    const kept = this.kept.get(text);
    if (kept) return kept;
    const ids = make();
    if (this.tokens + ids.length <= this.limit) {
      this.kept.set(text, Int32Array.from(ids));
      this.tokens += ids.length;
    }
    return ids;
  }
}

/** Scales each row of [rows, dimensions] to length 1, in place. */
export function normaliseRows(vectors: Float32Array, dimensions: number): void {
  for (let start = 0; start < vectors.length; start += dimensions) {
    let sum = 0;
    for (let i = start; i < start + dimensions; i++) sum += (vectors[i] as number) ** 2;
    const inverse = 1 / Math.max(Math.sqrt(sum), 1e-12);
    for (let i = start; i < start + dimensions; i++) vectors[i] = (vectors[i] as number) * inverse;
  }
}

/** Token ids of texts with the prefix of their kind. */
export function tokenise(encoder: LoadedEncoder, texts: readonly string[], kind: TextKind): number[][] {
  const { settings, tokenizer } = encoder;
  const prefix = kind === "query" ? settings.query_prefix : settings.passage_prefix;
  return texts.map((text) => encodeTruncated(tokenizer, prefix + text, settings.max_length));
}

/**
 * Vectors of texts, row-major [texts, dimensions], of length 1 when the similarity is cosine. `forward` gives the vectors of
 * one batch; batches hold texts of near-equal length, so that little is padded.
 */
export async function embedTexts(
  encoder: LoadedEncoder,
  forward: (batch: TokenBatch) => Promise<Float32Array>,
  texts: readonly string[],
  kind: TextKind,
  { signal, onProgress, onTokens }: EmbedOptions = {},
  memory?: TokenMemory,
): Promise<Float32Array> {
  const { dimensions } = encoder.graph;
  const tokensOf = (text: string): number[] => tokenise(encoder, [text], kind)[0] ?? [];
  const sequences = texts.map((text) =>
    memory && kind === "passage" ? [...memory.idsOf(text, () => tokensOf(text))] : tokensOf(text),
  );
  onTokens?.(sequences.reduce((sum, ids) => sum + ids.length, 0));
  const vectors = new Float32Array(texts.length * dimensions);
  let done = 0;
  for (const rows of planBatches(sequences.map((ids) => ids.length))) {
    if (signal) throwIfCancelled(signal);
    const batch = createTokenBatch(
      rows.map((row) => sequences[row] as number[]),
      encoder.tokenizer.padId,
      encoder.settings.pooling,
    );
    const made = await forward(batch);
    rows.forEach((row, i) => {
      vectors.set(made.subarray(i * dimensions, (i + 1) * dimensions), row * dimensions);
    });
    done += rows.length;
    onProgress?.(done, texts.length);
  }
  if (encoder.settings.similarity === "cosine") normaliseRows(vectors, dimensions);
  return vectors;
}
