import { type Document, InternalError } from "@rag-ft/core";
import { pageOf, type Ranked } from "../../best-passages.js";
import { documentsAt } from "../../documents-at.js";
import { fittingPassages } from "../../metadata-filter.js";
import { depthOf, type Page } from "../../page.js";
import type { StoreCallOptions, VectorStore, VectorStoreRow } from "../vector-store.js";
import { ExactIndex } from "./exact-index.js";
import { JoinedSearches } from "./joined-searches.js";
import { longestOf, nearestCandidates } from "./nearest-candidates.js";

/** Products of numbers that a search works out before others may work: some tenths of a second. */
const PRODUCTS_A_TURN = 3e8;

/** From so many numbers on, ONNX Runtime looks for candidates first: some milliseconds of this thread a search. */
const LARGE = 2e6;

export interface MemoryStoreOptions {
  productsATurn?: number;
  /** Numbers of all vectors from which on candidates are looked for first. */
  large?: number;
}

/** All vectors in memory, every search exact over all of them. */
export class MemoryStore implements VectorStore {
  readonly kind = "memory";
  private passages: readonly Document[] = [];
  private index: ExactIndex;
  private readonly joined = new JoinedSearches(
    (queries, depths, fitting) => this.best(queries, depths, fitting),
    () => Math.max(1, Math.floor(this.productsATurn / (2 * this.size * this.dimensions + 1))) * 2,
  );

  private readonly productsATurn: number;
  private readonly large: number;
  /** Length of the longest vector, once it was needed. */
  private longest: number | undefined;

  constructor(
    readonly dimensions: number,
    { productsATurn = PRODUCTS_A_TURN, large = LARGE }: MemoryStoreOptions = {},
  ) {
    this.index = new ExactIndex(new Float32Array(0), dimensions);
    this.productsATurn = productsATurn;
    this.large = large;
  }

  get size(): number {
    return this.passages.length;
  }

  async add(documents: readonly Document[], vectors: Float32Array): Promise<void> {
    if (vectors.length !== documents.length * this.dimensions) {
      throw new InternalError(
        `${vectors.length} numbers are no vectors of ${documents.length} passages in ${this.dimensions} dimensions.`,
      );
    }
    // The first and usually only addition is not copied.
    const first = this.size === 0;
    const all = first ? vectors : new Float32Array(this.index.vectors.length + vectors.length);
    if (!first) {
      all.set(this.index.vectors);
      all.set(vectors, this.index.vectors.length);
    }
    this.index = new ExactIndex(all, this.dimensions);
    this.longest = undefined;
    this.passages = first ? documents : [...this.passages, ...documents];
  }

  /**
   * Searches that come while another is at work are scored together with the next: a passage's numbers are read once for two queries, and each search is exactly
   * what it would be alone.
   */
  async search(queries: Float32Array, page: Page, { signal }: StoreCallOptions = {}): Promise<Ranked[]> {
    const count = this.countOf(queries);
    const depth = depthOf(page);
    const fitting = fittingPassages(this.passages, page.filter);
    const found = await this.joined.join({ queries, count, depth, fitting, signal });
    return found.map((ranked) => pageOf(ranked, page));
  }

  /** The same bits with candidates as without: they alone are scored in double precision, and all of the best are among them. */
  private async best(queries: Float32Array, depths: number[], fitting: Int32Array | undefined): Promise<Ranked[]> {
    const { index, dimensions } = this;
    const { vectors } = index;
    if (fitting !== undefined || vectors.length < this.large) return index.search(queries, depths, fitting);
    this.longest ??= longestOf(vectors, dimensions);
    const candidates = await nearestCandidates(queries, depths, { vectors, dimensions, longest: this.longest });
    return candidates.flatMap((among, q) => {
      const query = queries.subarray(q * dimensions, (q + 1) * dimensions);
      return index.search(query, depths[q] ?? 0, among);
    });
  }

  /** The best of all passages, or of those `among` them: what approximate stores leave to exact search. */
  rank(queries: Float32Array, depth: number, among?: Int32Array): Ranked[] {
    return this.index.search(queries, depth, among);
  }

  /** Number of these queries. @throws InternalError when their dimensions are others. */
  countOf(queries: Float32Array): number {
    return this.index.countOf(queries);
  }

  async documents(ids: ArrayLike<number>): Promise<Document[]> {
    return documentsAt(this.passages, ids);
  }

  async vectors(ids: ArrayLike<number>): Promise<Float32Array> {
    const d = this.dimensions;
    const vectors = new Float32Array(ids.length * d);
    Array.from(ids).forEach((id, place) => {
      if (!(id >= 0 && id < this.size)) throw new InternalError(`The vector of passage ${id} is not there.`);
      vectors.set(this.index.vectors.subarray(id * d, (id + 1) * d), place * d);
    });
    return vectors;
  }

  async scores(queries: Float32Array): Promise<Float64Array[]> {
    return this.index.scores(queries);
  }

  async close(): Promise<void> {}
}

export const memoryRow: VectorStoreRow = {
  missing: async () => undefined,
  open: async ({ dimensions }) => new MemoryStore(dimensions),
};
