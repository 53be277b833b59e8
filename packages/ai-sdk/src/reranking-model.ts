import type { RerankingModelV4 } from "@ai-sdk/provider";
import { type RagSearch, rerankTexts } from "@rag-ft/answer";
import { PROVIDER } from "./provider-name.js";

/** Texts by the inner product of the retriever's vectors with the query's; objects are ranked by their JSON. */
export function ragFtRerankingModel(search: Pick<RagSearch, "embed">, modelId: string): RerankingModelV4 {
  return {
    specificationVersion: "v4",
    provider: PROVIDER,
    modelId,
    async doRerank({ documents, query, topN, abortSignal }) {
      const texts =
        documents.type === "text" ? documents.values : documents.values.map((object) => JSON.stringify(object));
      const ranked = await rerankTexts(search, query, texts, abortSignal ? { signal: abortSignal } : {});
      return { ranking: ranked.slice(0, topN).map(({ index, score }) => ({ index, relevanceScore: score })) };
    },
  };
}
