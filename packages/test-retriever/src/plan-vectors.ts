import { type PlanContext, plannedRows, readDocuments, retrievalQuery, type StagePlan } from "@rag-ft/core";
import { isEmbeddingModelName, planEmbeddings, readPrices } from "@rag-ft/llm";
import { readTestQuestions } from "./read-questions.js";
import type { TestRetrieverSettings } from "./settings.js";

/** The vectors that are bought over an API; other models, and BM25, are free. */
export async function planTestRetriever(settings: TestRetrieverSettings, context: PlanContext): Promise<StagePlan> {
  const files = new Map<string, readonly unknown[]>();
  const models = settings.retrieval === "bm25" ? [] : settings.model_path.filter(isEmbeddingModelName);
  if (models.length === 0) return { requests: [], files };
  const documents = await plannedRows(context, settings.document_path, readDocuments);
  const questions = await plannedRows(context, settings.eval_data_path, (path) =>
    readTestQuestions(path, context.reporter),
  );
  const texts = [
    documents.map(({ fmt_content }) => fmt_content),
    questions.slice(0, settings.max_test_samples).map(retrievalQuery),
  ];
  const prices = await readPrices(settings.prices);
  return { requests: await Promise.all(models.map((model) => planEmbeddings({ model, prices, texts }))), files };
}
