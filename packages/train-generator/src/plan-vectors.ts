import {
  type PlanContext,
  plannedRows,
  type QaRow,
  readDocuments,
  readQa,
  retrievalQuery,
  type StagePlan,
} from "@rag-ft/core";
import { isEmbeddingModelName, planEmbeddings, readPrices } from "@rag-ft/llm";
import { retrieves } from "./retrieve-passages.js";
import type { TrainGeneratorSettings } from "./settings.js";

/** The vectors that are bought over an API, of the database and of each split's questions; training itself is free. */
export async function planTrainGenerator(settings: TrainGeneratorSettings, context: PlanContext): Promise<StagePlan> {
  const { embedding_model: model, retrieval } = settings;
  const files = new Map<string, readonly unknown[]>();
  if (!isEmbeddingModelName(model) || !retrieves(settings) || retrieval === "bm25") return { requests: [], files };
  const documents = await plannedRows(context, settings.full_dataset_file_path, readDocuments);
  const texts = [documents.map(({ fmt_content }) => fmt_content)];
  for (const path of [settings.train_file, settings.eval_file, settings.test_file]) {
    if (path === undefined) continue;
    const rows = await plannedRows<QaRow>(context, path, (file) => readQa(file, context.reporter));
    texts.push(rows.map(retrievalQuery));
  }
  return { requests: [await planEmbeddings({ model, prices: await readPrices(settings.prices), texts })], files };
}
