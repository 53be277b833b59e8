import type { EmbeddingModelV4 } from "@ai-sdk/provider";
import { UnsupportedFunctionalityError } from "@ai-sdk/provider";
import type { RagSearch } from "@rag-ft/answer";
import { ragFtOptions } from "./call-options.js";
import { PROVIDER } from "./provider-name.js";

/** Texts of one call: what is embedded can be stopped between calls. */
const TEXTS_A_CALL = 512;

/** The retriever's encoder, with the prefix of `inputType`. */
export function ragFtEmbeddingModel(search: Pick<RagSearch, "embed">, modelId: string): EmbeddingModelV4 {
  return {
    specificationVersion: "v4",
    provider: PROVIDER,
    modelId,
    maxEmbeddingsPerCall: TEXTS_A_CALL,
    // One encoder in this process: calls side by side would only share its cores.
    supportsParallelCalls: false,
    async doEmbed({ values, dimensions, abortSignal, providerOptions }) {
      const { inputType } = ragFtOptions(providerOptions);
      const vectors = await search.embed(values, inputType ?? "query", abortSignal ? { signal: abortSignal } : {});
      const made = vectors[0]?.length;
      if (dimensions !== undefined && made !== undefined && dimensions !== made) {
        throw new UnsupportedFunctionalityError({
          functionality: "dimensions",
          message: `dimensions: this encoder's vectors have ${made}, found ${dimensions}. Open the system with truncate_dim, or leave it out.`,
        });
      }
      return { embeddings: vectors.map((vector) => Array.from(vector)), warnings: [] };
    },
  };
}
