/** How passages were found, as files and tables say it. */
export interface UsedSearch {
  retrieval: "dense" | "bm25" | "hybrid";
  /** Of hybrid search. */
  bm25_weight?: number | undefined;
}

/** `vectors`, `BM25` or `vectors + 0.5 BM25`. */
export function searchName({ retrieval, bm25_weight }: UsedSearch): string {
  if (retrieval === "bm25") return "BM25";
  if (retrieval === "dense") return "vectors";
  return `vectors + ${bm25_weight === undefined ? "" : `${bm25_weight} `}BM25`;
}
