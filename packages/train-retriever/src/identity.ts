import { hashModel, type LoadedEncoder } from "@rag-ft/models";
import { hashTrainingQuestions, type TrainingQuestions } from "@rag-ft/retrieval";
import { decidingSettings, type RunIdentity } from "@rag-ft/train";
import type { Distillation } from "./distillation.js";
import type { TrainRetrieverSettings } from "./settings.js";

export const INPUTS = ["model_path", "full_dataset_file_path", "train_file", "eval_file", "test_file", "distil_from"];

/** What decides a run's result; taken before training changes the weights. */
export async function identityOf(
  settings: TrainRetrieverSettings,
  encoder: LoadedEncoder,
  data: TrainingQuestions,
  distillation: Distillation | undefined,
): Promise<RunIdentity> {
  return {
    settings: decidingSettings({ ...settings, ...encoder.settings }, INPUTS),
    inputs: {
      "base model": await hashModel(encoder.folder, encoder.weights),
      ...hashTrainingQuestions(data),
      ...(distillation ? { "teacher's scores": distillation.hash } : {}),
    },
  };
}
