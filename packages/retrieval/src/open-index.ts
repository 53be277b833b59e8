import { DataError, type Document, InternalError, type Reporter, throwIfCancelled } from "@rag-ft/core";
import { type KeptVectors, openKeptVectors } from "./kept/kept-vectors.js";
import type { PassageEncoder } from "./passage-encoder.js";
import type { VectorStore } from "./stores/vector-store.js";
import { VECTOR_STORES } from "./stores/vector-stores.js";

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
  /** Passages above which the search is approximate, when hnswlib-node is installed. */
  approximateAbove?: number;
  /** Questions that will be asked, where that is known. */
  questions?: number;
  /** Other stores than there are, for tests. */
  stores?: typeof VECTOR_STORES;
}

/** Texts of one call to an encoder. The vectors of a call are alike wherever it was gone on from: calls are cut from all texts, in one way. */
const TEXTS_PER_CALL = 512;
/** How long vectors may be in memory alone. */
const KEEP_EVERY_MS = 10_000;

/**
 * Cuts texts into calls: those of near-equal length together, so that little is padded. The longest come first, to know the memory early, then
 * long and short ones by turns (multiples of the golden ratio), so that the rate so far tells the time left.
 */
export function planCalls(texts: readonly string[], perCall: number): number[][] {
  const length = (place: number): number => texts[place]?.length ?? 0;
  const order = [...texts.keys()].sort((a, b) => length(b) - length(a) || a - b);
  const calls: number[][] = [];
  for (let start = 0; start < order.length; start += perCall)
    calls.push(order.slice(start, start + perCall).sort((a, b) => a - b));
  const turn = new Map(calls.map((call, i) => [call, (i * 0.618_034) % 1]));
  return calls.sort((a, b) => (turn.get(a) ?? 0) - (turn.get(b) ?? 0));
}

function requireFinite(vectors: Float32Array, places: readonly number[], dimensions: number): void {
  if (vectors.length !== places.length * dimensions)
    throw new InternalError(`The encoder gave ${vectors.length} numbers for ${places.length} x ${dimensions}.`);
  const broken = vectors.findIndex((value) => !Number.isFinite(value));
  if (broken < 0) return;
  const passage = (places[Math.floor(broken / dimensions)] as number) + 1;
  throw new DataError(
    `The encoder gave a vector that holds ${vectors[broken]} for passage ${passage}. Check its weights.`,
  );
}

/** Embeds what is missing. What was made is kept every few seconds, and when the work is stopped or fails. */
async function embedMissing(
  texts: readonly string[],
  encoder: PassageEncoder,
  kept: KeptVectors,
  { reporter, signal }: OpenIndexOptions,
): Promise<void> {
  throwIfCancelled(signal);
  const missing = new Set(kept.missing);
  let done = texts.length - missing.size;
  const progress = reporter.start("embedding passages", texts.length, done);
  const made: { places: number[]; vectors: Float32Array }[] = [];
  let keptAt = performance.now();
  const keep = async (): Promise<void> => {
    for (const { places, vectors } of made.splice(0)) await kept.put(places, vectors);
    keptAt = performance.now();
  };
  try {
    for (const call of planCalls(texts, encoder.textsPerCall ?? TEXTS_PER_CALL)) {
      const places = call.filter((place) => missing.has(place));
      if (places.length === 0) continue;
      throwIfCancelled(signal);
      const vectors = await encoder.embed(
        places.map((place) => texts[place] as string),
        "passage",
        { signal, onProgress: (embedded) => progress.update(done + embedded), keptByCaller: true },
      );
      requireFinite(vectors, places, encoder.dimensions);
      made.push({ places, vectors });
      done += places.length;
      if (encoder.textsPerCall !== undefined || performance.now() - keptAt > KEEP_EVERY_MS) await keep();
    }
  } finally {
    progress.stop();
    await keep();
  }
}

async function fillStore(
  documents: readonly Document[],
  vectors: Float32Array,
  dimensions: number,
  { reporter, signal, ...options }: OpenIndexOptions,
): Promise<VectorStore> {
  const { memory, hnsw } = options.stores ?? VECTOR_STORES;
  const { approximateAbove = APPROXIMATE_ABOVE, questions = 0 } = options;
  const pays = documents.length > ALWAYS_EXACT && questions >= PAYS_FROM_QUESTIONS;
  const large = documents.length > approximateAbove || pays;
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
 * its text: after an edit the edited passages alone are embedded, and work that was stopped goes on.
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
