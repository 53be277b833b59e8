import type { Stage } from "@rag-ft/core";
import { checkIndexPath } from "@rag-ft/retrieval";
import { type TrainRetrieverSettings, trainRetrieverSettings } from "./settings.js";
import { runTrainRetriever } from "./train-retriever.js";

export { flattenQuestions, type RetrievalExample } from "@rag-ft/retrieval";
export { contrastiveStep, TokenCache } from "./contrastive-step.js";
export { composeBatch } from "./examples.js";
export { type TrainRetrieverSettings, trainRetrieverSettings } from "./settings.js";

/** `rag-ft train-retriever`: contrastive fine-tuning of an embedding model. */
export const trainRetriever: Stage<TrainRetrieverSettings> = {
  name: "train-retriever",
  summary: "Fine-tune an embedding model by contrastive learning; keep the checkpoint with the best recall",
  settings: trainRetrieverSettings,
  aliases: {
    model_name_or_path: "model_path",
    embedding_model: "model_path",
    // Of the reference's trainers that learn from a reader.
    lm_temperature: "distil_teacher_temperature",
    reader_temperature: "distil_teacher_temperature",
    retrieve_temperature: "distil_student_temperature",
  },
  inputs: ["model_path", "full_dataset_file_path", "train_file", "eval_file", "test_file", "distil_from"],
  check: ({ index_path }) => checkIndexPath(index_path),
  run: runTrainRetriever,
};
