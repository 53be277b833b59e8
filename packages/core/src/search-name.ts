/** How passages were found, as files and tables say it. */
export interface UsedSearch {
  retrieval: "dense" | "bm25" | "hybrid";
  /** Of hybrid search. */
  bm25_weight?: number | undefined;
  /** The reranker that reorders the first passages, and how many. */
  reranker?: string | undefined;
  rerank_top_n?: number | undefined;
  rerank_weight?: number | undefined;
}

/** `vectors`, `BM25` or `vectors + 0.5 BM25`, and `, the first 20 reranked` where they are. */
export function searchName({ rerank_top_n, ...search }: UsedSearch): string {
  return `${firstStageName(search)}${rerank_top_n === undefined ? "" : `, the first ${rerank_top_n} reranked`}`;
}

function firstStageName({ retrieval, bm25_weight }: UsedSearch): string {
  if (retrieval === "bm25") return "BM25";
  if (retrieval === "dense") return "vectors";
  return `vectors + ${bm25_weight === undefined ? "" : `${bm25_weight} `}BM25`;
}
