import { join } from "node:path";
import { retrievalQuery, type StageContext, searchName, UserError } from "@rag-ft/core";
import {
  type OpenedRetriever,
  openPassageEncoder,
  openRetriever,
  type RetrievalExample,
  type Retrieved,
  type TrainingQuestions,
  VECTORS_FOLDER,
} from "@rag-ft/retrieval";
import type { TrainRerankerSettings } from "./settings.js";

/** The search whose first passages are reordered. */
export interface FirstStage {
  retriever: OpenedRetriever;
  /** For tables and files. */
  name: string;
  /** What decides what it finds. */
  identity: string;
}

/** @throws UserError when settings do not fit each other. */
export function checkFirstStage({ retrieval, embedding_model, negatives, do_train }: TrainRerankerSettings): void {
  if (retrieval !== "bm25" && embedding_model === undefined)
    throw new UserError(
      `embedding_model missing: retrieval ${retrieval} wants an encoder. Give its folder or hub id, or --retrieval bm25 with --negatives rows.`,
    );
  if (retrieval === "bm25" && negatives === "mined" && do_train)
    throw new UserError(
      "negatives mined leaves out what an encoder's vectors score too high, and retrieval bm25 has none. Give --retrieval hybrid with --embedding_model, or --negatives rows.",
    );
}

/** Opens it, over passages that are embedded first or read from the index. */
export async function openFirstStage(
  settings: TrainRerankerSettings,
  { documents, train, evaluation, test }: TrainingQuestions,
  { env, reporter, signal }: StageContext,
): Promise<FirstStage> {
  // How many are reordered is no setting of the search.
  const { rerank_top_n: _, ...searching } = settings;
  const { embedding_model: model = "", device, truncate_dim: truncateDim, index_path: indexPath } = settings;
  const keepIn = indexPath ?? join(settings.output_dir, VECTORS_FOLDER);
  const context = { env, reporter, signal, device };
  const retriever = await openRetriever(documents, {
    ...context,
    settings: searching,
    model,
    openEncoder: () => openPassageEncoder(model, { ...context, keepIn, truncateDim }),
    ...(indexPath === undefined ? {} : { indexPath }),
    questions: train.length + evaluation.length + (test?.length ?? 0),
  });
  const { dense, bm25Weight } = retriever;
  const retrieval = dense === undefined ? "bm25" : bm25Weight === undefined ? "dense" : "hybrid";
  const name = searchName({ retrieval, bm25_weight: bm25Weight });
  return { retriever, name, identity: `${name}, ${dense?.encoder.fingerprint ?? "no vectors"}` };
}

/** Questions with what the first stage found for each, best first. */
export interface Searched {
  questions: readonly RetrievalExample[];
  found: readonly Retrieved[];
}

export async function search(
  { retriever }: FirstStage,
  questions: readonly RetrievalExample[],
  depth: number,
  { reporter, signal }: StageContext,
): Promise<Searched> {
  return { questions, found: await retriever.retrieve(questions.map(retrievalQuery), depth, { reporter, signal }) };
}
