import {
  type EmbeddingModelV4,
  type LanguageModelV4,
  NoSuchModelError,
  type ProviderV4,
  type RerankingModelV4,
} from "@ai-sdk/provider";
import type { RagSystem } from "@rag-ft/answer";
import { ragFtEmbeddingModel } from "./embedding-model.js";
import { ragFtLanguageModel } from "./language-model.js";
import { PROVIDER } from "./provider-name.js";
import { ragFtRerankingModel } from "./reranking-model.js";

/** Calling it gives the language model. */
export interface RagFtProvider extends ProviderV4 {
  (modelId?: string): LanguageModelV4;
  /** Answers from the system's passages, which come as sources. */
  languageModel(modelId?: string): LanguageModelV4;
  /** The retriever's encoder. */
  embeddingModel(modelId?: string): EmbeddingModelV4;
  /** By the encoder's vectors. */
  rerankingModel(modelId?: string): RerankingModelV4;
}

type ModelType = ConstructorParameters<typeof NoSuchModelError>[0]["modelType"];

/** @throws NoSuchModelError: an answer of another model would be taken for its. */
function refuse(modelId: string, modelType: ModelType): never {
  throw new NoSuchModelError({
    modelId,
    modelType,
    message: `There is no ${modelType} ${JSON.stringify(modelId)} in an opened rag-ft system. It has ${PROVIDER} alone.`,
  });
}

function named(modelId: string, modelType: ModelType): string {
  return modelId === PROVIDER ? modelId : refuse(modelId, modelType);
}

/** A provider for the AI SDK over a system that `openRag` opened. Who opened it closes it. */
export function createRagFt(system: RagSystem): RagFtProvider {
  const languageModel = (modelId: string = PROVIDER): LanguageModelV4 =>
    ragFtLanguageModel(system, named(modelId, "languageModel"));
  return Object.assign((modelId?: string) => languageModel(modelId), {
    specificationVersion: "v4" as const,
    languageModel,
    embeddingModel: (modelId: string = PROVIDER) => ragFtEmbeddingModel(system, named(modelId, "embeddingModel")),
    rerankingModel: (modelId: string = PROVIDER) => ragFtRerankingModel(system, named(modelId, "rerankingModel")),
    imageModel: (modelId: string) => refuse(modelId, "imageModel"),
  });
}
