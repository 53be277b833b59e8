import type { Document, Reporter } from "@rag-ft/core";
import type { Ranked } from "../best-passages.js";
import type { Page } from "../page.js";

export interface StoreCallOptions {
  reporter?: Reporter;
  signal?: AbortSignal;
}

/**
 * Passages with their vectors, searched by inner product. Passages are numbered from 0 in the order in which they are added. Calls wait for each
 * other as the caller lets them: nothing is added while a search runs.
 */
export interface VectorStore {
  /** The name of its row. */
  readonly kind: string;
  readonly size: number;
  readonly dimensions: number;
  /** `vectors` is `[documents, dimensions]`, row-major; the caller leaves both as they are. A store whose addition failed is only closed. */
  add(documents: readonly Document[], vectors: Float32Array, options?: StoreCallOptions): Promise<void>;
  /**
   * A page for each query, best first, equal scores by the lower id. An approximate store may leave a passage out, but scores those it finds
   * exactly. `queries` is `[queries, dimensions]`, row-major.
   */
  search(queries: Float32Array, page: Page, options?: StoreCallOptions): Promise<Ranked[]>;
  /** The passages at these places, in the order asked for. */
  documents(ids: ArrayLike<number>): Promise<Document[]>;
  /** Their vectors, `[ids, dimensions]`. */
  vectors(ids: ArrayLike<number>): Promise<Float32Array>;
  /**
   * Inner product of each query with every passage, `[passages]` a query, exact also where the search is not. Only a store that holds all vectors
   * at hand has it: hybrid search is exact with it, and fuses the best candidates without.
   */
  scores?(queries: Float32Array): Promise<Float64Array[]>;
  /**
   * The store's own search by words: a page for each question, best first; passages that share no word with it are left out. What counts as a word,
   * and how it is weighed, is the store's. Hybrid search takes it in place of our BM25.
   */
  words?(questions: readonly string[], page: Page, options?: StoreCallOptions): Promise<Ranked[]>;
  close(): Promise<void>;
}

/** How a store is opened: one row of the table in `vector-stores.ts`. */
export interface VectorStoreRow {
  /** Why this machine cannot open it; undefined where it can. */
  missing(): Promise<string | undefined>;
  /** An empty store. @throws UserError when something is missing. */
  open(options: { dimensions: number }): Promise<VectorStore>;
}
