import { systemSettings } from "@rag-ft/answer";
import { z } from "zod";

const { run, embedding_model_name_or_path, document_path, index_path, retrieval, bm25_weight, device } = systemSettings;
const { vector_store, vector_store_url, reranker, rerank_top_n, rerank_weight, rerank_int8 } = systemSettings;

/** Settings of `mcp`. */
export const mcpSettings = z.object({
  run,
  embedding_model_name_or_path,
  document_path,
  index_path,
  retrieval,
  bm25_weight,
  vector_store,
  vector_store_url,
  reranker,
  rerank_top_n,
  rerank_weight,
  rerank_int8,
  device,
});

export type McpSettings = z.infer<typeof mcpSettings>;
