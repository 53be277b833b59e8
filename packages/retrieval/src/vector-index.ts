/** The best passages of each query, best first. */
export interface SearchResult {
  /** Passages a query: the k asked for, or all there are when fewer. */
  k: number;
  /** `[queries, k]`: places of the passages in the database. */
  ids: Int32Array;
  /** `[queries, k]`: inner products. */
  scores: Float32Array;
}

/** Passages' vectors that can be searched by inner product. Equal scores are ordered by the lower id. */
export interface VectorIndex {
  readonly kind: "exact" | "hnsw";
  readonly size: number;
  readonly dimensions: number;
  /** `[passages, dimensions]`, row-major. */
  readonly vectors: Float32Array;
  /** `queries` is `[queries, dimensions]`, row-major. */
  search(queries: Float32Array, k: number): SearchResult;
  /** Inner product of each query with every passage, `[passages]` a query, exact also where the search is not. */
  scores(queries: Float32Array): Float64Array[];
}
