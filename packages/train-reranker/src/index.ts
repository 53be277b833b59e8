import type { Stage } from "@rag-ft/core";
import { checkIndexPath } from "@rag-ft/retrieval";
import { type GivenSettings, INPUTS, trainRerankerSettings } from "./settings.js";
import { runTrainReranker } from "./train-reranker.js";

export { type GivenSettings as TrainRerankerSettings, trainRerankerSettings } from "./settings.js";
export { composeGroups, type RankedGroup, rerankingStep } from "./training-step.js";

/** `rag-ft train-reranker`: fine-tuning of a cross-encoder that reorders what a search finds. */
export const trainReranker: Stage<GivenSettings> = {
  name: "train-reranker",
  summary:
    "Fine-tune a cross-encoder that reorders the first passages of a search; keep the search alone unless it is beaten",
  settings: trainRerankerSettings,
  aliases: {
    model_name_or_path: "model_path",
    embedding_model_name_or_path: "embedding_model",
    document_path: "full_dataset_file_path",
  },
  inputs: INPUTS,
  check: ({ index_path }) => checkIndexPath(index_path),
  run: runTrainReranker,
};
