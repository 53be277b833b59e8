import { ownsFolder, type Stage } from "@rag-ft/core";
import { checkIndexPath } from "@rag-ft/retrieval";
import { planTestE2e } from "./plan-test.js";
import { runTestE2e } from "./run-test-e2e.js";
import { type TestE2eSettings, testE2eSettings } from "./settings.js";

export { reportTable } from "./report-table.js";
export { type TestE2eSettings, testE2eSettings } from "./settings.js";

const stage: Stage<TestE2eSettings> = {
  name: "test-e2e",
  summary: "retrieve, answer and score on held-out questions",
  settings: testE2eSettings,
  aliases: { timeout_s: "request_timeout", concurrency: "max_concurrency" },
  inputs: [
    "document_path",
    "eval_data_path",
    "qa_model_name_or_path",
    "embedding_model_name_or_path",
    "base_qa_model_name_or_path",
    "base_embedding_model_name_or_path",
    "retrieval_choice_of",
    "reranker",
    "judge_labels",
    "config",
  ],
  check: ({ index_path }) => checkIndexPath(index_path),
  run: runTestE2e,
  plan: planTestE2e,
};

/** Retrieves, answers and scores on held-out questions. */
export const testE2e: Stage<TestE2eSettings> = ownsFolder(stage, ({ output_dir }) => output_dir);
