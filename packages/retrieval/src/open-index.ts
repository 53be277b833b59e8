import { createHash } from "node:crypto";
import { join } from "node:path";
import { DataError, type Document, InternalError, type Reporter, throwIfCancelled } from "@rag-ft/core";
import type { PassageEncoder } from "./passage-encoder.js";
import type { VectorStore } from "./stores/vector-store.js";
import { VECTOR_STORES } from "./stores/vector-stores.js";
import { type CacheKey, readVectorCache, writeVectorCache } from "./vector-cache.js";

/** Above this many passages the graph answers faster than exact search by more than its building costs. */
export const APPROXIMATE_ABOVE = 50_000;

/** A database with the store of its passages' vectors. `documents[id]` is the passage of a search's id. */
export interface PassageIndex {
  readonly documents: readonly Document[];
  readonly store: VectorStore;
}

export interface OpenIndexOptions {
  /** Folder that keeps the vectors between runs; nothing is kept without it. */
  indexPath?: string;
  reporter: Reporter;
  signal: AbortSignal;
  /** Passages above which the search is approximate, when hnswlib-node is installed. */
  approximateAbove?: number;
  /** Other stores than there are, for tests. */
  stores?: typeof VECTOR_STORES;
}

function hashTexts(texts: readonly string[]): string {
  const hash = createHash("sha256");
  // The length parts texts, so that no two lists of texts give the same bytes.
  for (const text of texts) hash.update(`${text.length}\n`).update(text);
  return hash.digest("hex");
}

async function embedPassages(
  texts: readonly string[],
  encoder: PassageEncoder,
  options: OpenIndexOptions,
): Promise<Float32Array> {
  throwIfCancelled(options.signal);
  const progress = options.reporter.start("embedding passages", texts.length);
  let vectors: Float32Array;
  try {
    vectors = await encoder.embed(texts, "passage", {
      signal: options.signal,
      onProgress: (done) => progress.update(done),
    });
  } finally {
    progress.stop();
  }
  if (vectors.length !== texts.length * encoder.dimensions) {
    throw new InternalError(`The encoder gave ${vectors.length} numbers for ${texts.length} x ${encoder.dimensions}.`);
  }
  const broken = vectors.findIndex((value) => !Number.isFinite(value));
  if (broken >= 0) {
    const passage = Math.floor(broken / encoder.dimensions);
    throw new DataError(
      `The encoder gave a vector that holds ${vectors[broken]} for passage ${passage + 1}. Check its weights.`,
    );
  }
  return vectors;
}

async function fillStore(
  documents: readonly Document[],
  vectors: Float32Array,
  dimensions: number,
  { reporter, signal, ...options }: OpenIndexOptions,
): Promise<VectorStore> {
  const { memory, hnsw } = options.stores ?? VECTOR_STORES;
  const large = documents.length > (options.approximateAbove ?? APPROXIMATE_ABOVE);
  const missing = large ? await hnsw.missing() : undefined;
  if (missing) reporter.info(`${missing}: exact search over ${documents.length} passages, which is slower.`);
  const store = await (large && missing === undefined ? hnsw : memory).open({ dimensions });
  try {
    await store.add(documents, vectors, { reporter, signal });
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** Where a model's vectors are kept when `root` keeps those of several. */
export function indexFolder(root: string, { fingerprint }: Pick<PassageEncoder, "fingerprint">): string {
  return join(root, fingerprint.replace(/[^\w]+/g, "-").slice(0, 40));
}

function keyOf(documents: readonly Document[], { fingerprint, dimensions }: PassageEncoder): CacheKey {
  const texts = documents.map((document) => document.fmt_content);
  return { encoder: fingerprint, passages_sha256: hashTexts(texts), passages: texts.length, dimensions };
}

/** Keeps the vectors of an index that was opened without a folder. */
export async function keepIndex(
  { documents, store }: PassageIndex,
  encoder: PassageEncoder,
  indexPath: string,
): Promise<void> {
  const key = keyOf(documents, encoder);
  const { state } = await readVectorCache(indexPath, key);
  if (state !== "ready") await writeVectorCache(indexPath, key, await store.vectors([...documents.keys()]));
}

/**
 * Embeds `fmt_content` of all passages, or takes their vectors from the cache at `indexPath` when it was made by the same
 * encoder from the same passages. A stale cache is replaced, with a line that says why.
 *
 * @throws UserError when `indexPath` holds something that is not ours.
 */
export async function openIndex(
  documents: readonly Document[],
  encoder: PassageEncoder,
  options: OpenIndexOptions,
): Promise<PassageIndex> {
  const { indexPath, reporter } = options;
  const texts = documents.map((document) => document.fmt_content);
  const key = keyOf(documents, encoder);
  const cache = indexPath === undefined ? undefined : await readVectorCache(indexPath, key);
  let vectors: Float32Array;
  if (cache?.state === "ready") {
    reporter.info(`${indexPath}: vectors of ${texts.length} passages read from the index.`);
    vectors = cache.vectors;
  } else {
    if (cache?.state === "stale") reporter.info(`${indexPath}: the index is made anew, because ${cache.reason}.`);
    vectors = await embedPassages(texts, encoder, options);
    if (indexPath !== undefined) await writeVectorCache(indexPath, key, vectors);
  }
  return { documents, store: await fillStore(documents, vectors, encoder.dimensions, options) };
}
