import { createHash } from "node:crypto";
import { join } from "node:path";
import { DataError, type Document, InternalError, type Reporter, throwIfCancelled } from "@rag-ft/core";
import { ExactIndex } from "./exact-index.js";
import { HnswIndex, loadHnswLibrary } from "./hnsw-index.js";
import type { PassageEncoder } from "./passage-encoder.js";
import { type CacheKey, readVectorCache, writeVectorCache } from "./vector-cache.js";
import type { VectorIndex } from "./vector-index.js";

/** Above this many passages the graph answers faster than exact search by more than its building costs. */
export const APPROXIMATE_ABOVE = 50_000;

/** A database with its passages' vectors. `documents[id]` is the passage of a search's id. */
export interface PassageIndex {
  readonly documents: readonly Document[];
  readonly vectors: VectorIndex;
}

export interface OpenIndexOptions {
  /** Folder that keeps the vectors between runs; nothing is kept without it. */
  indexPath?: string;
  reporter: Reporter;
  signal: AbortSignal;
  /** Passages above which the search is approximate, when hnswlib-node is installed. */
  approximateAbove?: number;
  /** The optional library, for tests. */
  loadHnsw?: typeof loadHnswLibrary;
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

async function buildIndex(
  vectors: Float32Array,
  passages: number,
  dimensions: number,
  options: OpenIndexOptions,
): Promise<VectorIndex> {
  if (passages > (options.approximateAbove ?? APPROXIMATE_ABOVE)) {
    const Graph = await (options.loadHnsw ?? loadHnswLibrary)();
    if (Graph !== undefined) return HnswIndex.build(Graph, vectors, dimensions, options);
    options.reporter.info(`hnswlib-node is not installed: exact search over ${passages} passages, which is slower.`);
  }
  return new ExactIndex(vectors, dimensions);
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
  { documents, vectors }: PassageIndex,
  encoder: PassageEncoder,
  indexPath: string,
): Promise<void> {
  const key = keyOf(documents, encoder);
  const { state } = await readVectorCache(indexPath, key);
  if (state !== "ready") await writeVectorCache(indexPath, key, vectors.vectors);
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
  return { documents, vectors: await buildIndex(vectors, texts.length, encoder.dimensions, options) };
}
