import { type Document, hashRows } from "@rag-ft/core";
import { hashModel, type LoadedEncoder } from "@rag-ft/models";
import type { RetrievalExample } from "@rag-ft/retrieval";
import { decidingSettings, type RunIdentity } from "@rag-ft/train";
import type { TrainRetrieverSettings } from "./settings.js";

const INPUTS = ["model_path", "full_dataset_file_path", "train_file", "eval_file", "test_file"];

export interface RunData {
  documents: readonly Document[];
  train: readonly RetrievalExample[];
  evaluation: readonly RetrievalExample[];
  test: readonly RetrievalExample[] | undefined;
}

/** What decides a run's result; taken before training changes the weights. */
export async function identityOf(
  settings: TrainRetrieverSettings,
  encoder: LoadedEncoder,
  { documents, train, evaluation, test }: RunData,
): Promise<RunIdentity> {
  return {
    settings: decidingSettings({ ...settings, ...encoder.settings }, INPUTS),
    inputs: {
      "base model": await hashModel(encoder.folder, encoder.weights),
      passages: hashRows(documents),
      "training questions": hashRows(train),
      "eval questions": hashRows(evaluation),
      ...(test ? { "test questions": hashRows(test) } : {}),
    },
  };
}
