import { count, flag, number, UserError } from "@rag-ft/core";
import { z } from "zod";

/** How the first passages are reordered: settings of every stage that searches. */
export const rerankSettings = {
  reranker: z
    .string()
    .min(1)
    .optional()
    .describe(
      "Cross-encoder that reorders the first passages found: a folder of train-reranker, or the folder or hub id of a reranker; default: none, which costs nothing",
    ),
  rerank_top_n: count(1)
    .optional()
    .describe("reranker: so many first passages are reordered; default: as it was trained (reranker.json), else 20"),
  rerank_weight: number((n) => n.min(0).max(1))
    .optional()
    .describe(
      "reranker: weight of its scores beside the search's, both standardised; 1: its order alone; default: as train-reranker chose (reranker.json; 0 where it did not beat the search, and then it is not even loaded), else 0.5",
    ),
  rerank_int8: flag()
    .optional()
    .describe(
      "reranker: its weights in 8 bits, for a quarter of the memory, and faster on processors with such products; scores change a little",
    ),
};

export interface RerankSettings {
  reranker?: string | undefined;
  rerank_top_n?: number | undefined;
  rerank_weight?: number | undefined;
  rerank_int8?: boolean | undefined;
}

/** Fails where something is given that nothing would read. */
export function checkReranking({ reranker, rerank_top_n, rerank_weight, rerank_int8 }: RerankSettings): void {
  if (reranker !== undefined) return;
  for (const [name, value] of Object.entries({ rerank_top_n, rerank_weight, rerank_int8 }))
    if (value !== undefined)
      throw new UserError(`${name} is for a reranker, and none is named. Give --reranker, or leave ${name} out.`);
}
