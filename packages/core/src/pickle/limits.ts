/** Bounds on what a pickle may ask for; a hostile file ends in an error, not in a full memory. */
export const PICKLE_LIMITS = {
  /** Largest file read, in bytes: a hundred times the reference's Databricks database (11,136 passages). */
  fileBytes: 1024 ** 3,
  /** Largest number of memo entries: below the 2^24 entries that a JavaScript Map can hold. */
  memoEntries: 16_000_000,
  /** Open marks at a time, that is containers inside containers while reading. CPython recurses to about 1,000. */
  openMarks: 1000,
  /** Containers inside containers in a document's metadata; also what ends a list that holds itself. */
  valueDepth: 50,
  /** Values in one document's metadata: a few shared lists can otherwise unfold into billions. */
  valuesPerDocument: 100_000,
  /** Bytes of one integer. */
  integerBytes: 128,
  /** Bytes of one text line of protocol 0 that is not a string (numbers, names). */
  lineBytes: 1024,
} as const;
