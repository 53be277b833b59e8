import { type AnyPrompt, hashRows } from "@rag-ft/core";
import { vectorRequestSettings } from "@rag-ft/llm";
import { hashModel, type LoadedDecoder } from "@rag-ft/models";
import { decidingSettings, type RunIdentity } from "@rag-ft/train";
import type { QuestionExample } from "./examples.js";
import type { Splits } from "./retrieve-passages.js";
import type { TrainGeneratorSettings } from "./settings.js";

// How passages are found is left to what is found: the examples hold it. A run that does not train goes on from no other.
export const INPUTS = [
  "do_train",
  "measured_by",
  ...Object.keys(vectorRequestSettings()),
  "model_name_or_path",
  "embedding_model",
  "retrieval",
  "bm25_weight",
  "truncate_dim",
  "retrieval_choice_of",
  "vector_store",
  "full_dataset_file_path",
  "full_dataset_index_path",
  "train_file",
  "eval_file",
  "test_file",
  "no_answer_file",
  "config",
];

/** What decides a run's result; taken before training changes the weights. The examples hold the passages that were retrieved. */
export async function identityOf(
  settings: TrainGeneratorSettings,
  decoder: LoadedDecoder,
  format: AnyPrompt,
  { train, eval: evaluation, test }: Splits<QuestionExample[]>,
): Promise<RunIdentity> {
  return {
    settings: decidingSettings({ ...settings, ...format }, INPUTS),
    inputs: {
      "base model": await hashModel(decoder.folder, decoder.weights),
      "training questions or retrieved passages": hashRows(train),
      "eval questions or retrieved passages": hashRows(evaluation),
      ...(test ? { "test questions or retrieved passages": hashRows(test) } : {}),
    },
  };
}
