import { join } from "node:path";
import { type Document, type QaRow, retrievalQuery, type StageContext } from "@rag-ft/core";
import type { RequestTally } from "@rag-ft/llm";
import { openPassageEncoder, openRetriever, SPARE_PASSAGES, VECTORS_FOLDER } from "@rag-ft/retrieval";
import type { TrainGeneratorSettings } from "./settings.js";

export interface Splits<T> {
  train: T;
  eval: T;
  test: T | undefined;
}

/** Passages that a prompt holds at most; one more than is kept is retrieved, since the gold passage is usually among them. */
export const passagesOfPrompt = (settings: Pick<TrainGeneratorSettings, "embedding_max_num_to_retrieve">): number =>
  settings.embedding_max_num_to_retrieve + 1;

/** Whether any prompt needs a search: those without their gold passage do, even where the others hold it alone. */
export const retrieves = (
  settings: Pick<TrainGeneratorSettings, "embedding_max_num_to_retrieve" | "no_answer_share">,
): boolean => settings.embedding_max_num_to_retrieve > 0 || settings.no_answer_share > 0;

/** Retrieves over the full database for every question of every split; the encoder is closed before training needs its memory. */
export async function retrievePassages(
  settings: TrainGeneratorSettings,
  documents: readonly Document[],
  splits: Splits<QaRow[]>,
  { env, reporter, signal }: StageContext,
  tally?: RequestTally,
): Promise<Splits<Document[][]>> {
  if (!retrieves(settings)) return { train: [], eval: [], test: [] };
  const { device, embedding_model: model, truncate_dim: truncateDim } = settings;
  const retriever = await openRetriever(documents, {
    settings,
    env,
    device,
    model,
    openEncoder: () =>
      openPassageEncoder(model, {
        ...{ env, reporter, signal, device, truncateDim },
        requests: settings,
        ...(tally ? { tally } : {}),
        keepIn: settings.full_dataset_index_path ?? join(settings.output_dir, VECTORS_FOLDER),
      }),
    ...(settings.full_dataset_index_path ? { indexPath: settings.full_dataset_index_path } : {}),
    questions: splits.train.length + splits.eval.length + (splits.test?.length ?? 0),
    reporter,
    signal,
  });
  try {
    const spare = settings.no_answer_share > 0 ? SPARE_PASSAGES : 0;
    const depth = passagesOfPrompt(settings) + spare;
    const found = async (rows: readonly QaRow[]): Promise<Document[][]> => {
      const questions = rows.map(retrievalQuery);
      return (await retriever.retrieve(questions, depth, { reporter, signal })).map((item) => item.documents);
    };
    return {
      train: await found(splits.train),
      eval: await found(splits.eval),
      test: splits.test ? await found(splits.test) : undefined,
    };
  } finally {
    await retriever.close();
  }
}
