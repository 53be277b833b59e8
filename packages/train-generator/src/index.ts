import type { Stage } from "@rag-ft/core";
import { checkIndexPath } from "@rag-ft/retrieval";
import { planTrainGenerator } from "./plan-vectors.js";
import { type TrainGeneratorSettings, trainGeneratorSettings } from "./settings.js";
import { runTrainGenerator } from "./train-generator.js";

export { answerBatches } from "./loss.js";
export type { TrainGeneratorSettings } from "./settings.js";

/** `rag-ft train-generator`: fine-tuning of a language model with the retriever held fixed. */
export const trainGenerator: Stage<TrainGeneratorSettings> = {
  name: "train-generator",
  summary: "Fine-tune a language model on the answers, with a fixed retriever's passages in the prompt",
  settings: trainGeneratorSettings,
  aliases: { model_path: "model_name_or_path", eval_embedding_model: "embedding_model" },
  inputs: [
    "model_name_or_path",
    "embedding_model",
    "retrieval_choice_of",
    "reranker",
    "full_dataset_file_path",
    "train_file",
    "eval_file",
    "test_file",
    "no_answer_file",
    "config",
  ],
  check: ({ full_dataset_index_path }) => checkIndexPath(full_dataset_index_path),
  run: runTrainGenerator,
  plan: planTrainGenerator,
};
