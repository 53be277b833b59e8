import type { Document, Reporter } from "@rag-ft/core";
import { embedMissing } from "./embed-missing.js";
import { openKeptVectors } from "./kept/kept-vectors.js";
import { openKeptStore } from "./open-kept-store.js";
import type { PassageEncoder } from "./passage-encoder.js";
import { keptKind, type NamedStore } from "./store-settings.js";
import type { VectorStore } from "./stores/vector-store.js";
import { KEPT_STORES, VECTOR_STORES } from "./stores/vector-stores.js";

/**
 * The graph is built at every opening, which takes as long as some 3,000 exact searches of the same passages, however many these are
 * (`pnpm bench search`; docs/scale.md). Fewer questions than this are searched exactly.
 */
export const PAYS_FROM_QUESTIONS = 3000;
/** Above this many passages an exact search takes longer than half a second, which somebody who waits for it notices. */
export const APPROXIMATE_ABOVE = 1_000_000;
/** Up to here exact search takes a few milliseconds: an approximate one is not worth it for however many questions. */
const ALWAYS_EXACT = 10_000;

/** A database with the store of its passages' vectors. `documents[id]` is the passage of a search's id. */
export interface PassageIndex {
  readonly documents: readonly Document[];
  readonly store: VectorStore;
}

export interface OpenIndexOptions {
  /** Folder that keeps vectors between runs, those of each encoder in a folder of their own; nothing is kept without it. */
  indexPath?: string;
  reporter: Reporter;
  signal: AbortSignal;
  /** Passages above which the search is approximate, when hnswlib-node is installed and nobody knows how many questions will be asked. */
  approximateAbove?: number;
  /** Questions that will be asked, where that is known. */
  questions?: number;
  /** The store that was asked for; as the number of passages and of questions decides where none was. */
  store?: NamedStore;
  /** Other stores than there are, for tests. */
  stores?: typeof VECTOR_STORES;
}

async function fillStore(
  documents: readonly Document[],
  vectors: Float32Array,
  dimensions: number,
  { reporter, signal, ...options }: OpenIndexOptions,
): Promise<VectorStore> {
  const { memory, hnsw } = options.stores ?? VECTOR_STORES;
  const { approximateAbove = APPROXIMATE_ABOVE, questions, store: named } = options;
  // Where the number of questions is known it decides, whatever the number of passages: a graph takes as long to build as so many searches.
  const pays =
    questions === undefined
      ? documents.length > approximateAbove
      : documents.length > ALWAYS_EXACT && questions >= PAYS_FROM_QUESTIONS;
  const large = named ? named.kind === "hnsw" : pays;
  // What was asked for by name is opened, or says what is missing.
  const missing = large && !named ? await hnsw.missing() : undefined;
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

/** Keeps the vectors of an index that was opened without a folder. */
export async function keepIndex(
  { documents, store }: PassageIndex,
  encoder: PassageEncoder,
  indexPath: string,
): Promise<void> {
  const texts = documents.map((document) => document.fmt_content);
  const kept = await openKeptVectors(indexPath, texts, encoder);
  await kept.put(kept.missing, await store.vectors(kept.missing));
}

/**
 * Embeds `fmt_content` of all passages, or takes their vectors from the index at `indexPath`, which keeps those of any encoders, each passage by
 * its text: after an edit the edited passages alone are embedded, and work that was stopped goes on. A store that keeps its vectors is filled in
 * their place.
 *
 * @throws UserError when `indexPath` holds something that is not ours.
 */
export async function openIndex(
  documents: readonly Document[],
  encoder: PassageEncoder,
  options: OpenIndexOptions,
): Promise<PassageIndex> {
  const { reporter, signal } = options;
  const indexPath = options.indexPath ?? encoder.keptIn;
  const { store: named } = options;
  const kind = named && keptKind(named);
  if (kind !== undefined) {
    const row = KEPT_STORES[kind];
    const store = await openKeptStore(documents, encoder, { kind, row, url: named?.url, indexPath, reporter, signal });
    return { documents, store };
  }
  const texts = documents.map((document) => document.fmt_content);
  const kept = await openKeptVectors(indexPath, texts, encoder, signal);
  const { missing, damaged, vectors } = kept;
  if (damaged > 0) reporter.warn(`${indexPath}: ${damaged} damaged files of vectors are made anew.`);
  if (indexPath !== undefined && texts.length > 0 && missing.length === 0)
    reporter.info(`${indexPath}: vectors of ${texts.length} passages read from the index.`);
  else if (missing.length > 0) {
    const there = texts.length - missing.length;
    if (there > 0 && indexPath !== undefined)
      reporter.info(`${indexPath}: ${missing.length} of ${texts.length} passages have no vector in the index yet.`);
    await embedMissing(texts, encoder, kept, options);
  }
  return { documents, store: await fillStore(documents, vectors, encoder.dimensions, options) };
}
