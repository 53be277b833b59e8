import type { Stage } from "@rag-ft/core";
import { checkIndexPath } from "@rag-ft/retrieval";
import { planTestRetriever } from "./plan-vectors.js";
import { runTestRetriever } from "./run-test-retriever.js";
import { type TestRetrieverSettings, testRetrieverSettings } from "./settings.js";

export { comparedNames, differencesTable, figuresTable } from "./report-table.js";
export { type TestRetrieverSettings, testRetrieverSettings } from "./settings.js";

/** Retrievers alone on held-out questions, BM25 among them. */
export const testRetriever: Stage<TestRetrieverSettings> = {
  name: "test-retriever",
  summary: "measure retrievers alone, against BM25 and each other",
  settings: testRetrieverSettings,
  aliases: {
    embedding_model: "model_path",
    embedding_model_name_or_path: "model_path",
    model_name_or_path: "model_path",
    full_dataset_file_path: "document_path",
    test_file: "eval_data_path",
    eval_file: "eval_data_path",
  },
  inputs: ["model_path", "retrieval_choice_of", "reranker", "document_path", "eval_data_path"],
  check: ({ index_path }) => checkIndexPath(index_path),
  run: runTestRetriever,
  plan: planTestRetriever,
};
