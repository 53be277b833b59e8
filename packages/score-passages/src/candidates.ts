import { dirname, join } from "node:path";
import {
  type Document,
  distinctDocuments,
  documentKey,
  retrievalQuery,
  type StageContext,
  UserError,
} from "@rag-ft/core";
import type { RequestTally } from "@rag-ft/llm";
import { openPassageEncoder, openRetriever, VECTORS_FOLDER } from "@rag-ft/retrieval";
import type { ScorePassagesSettings } from "./settings.js";
import type { TeacherQuestion } from "./teacher.js";

/** @throws UserError when settings do not fit each other. */
export function checkCandidates({ candidates, retrieval, embedding_model }: ScorePassagesSettings): void {
  if (candidates === "retrieved" && retrieval !== "bm25" && embedding_model === undefined)
    throw new UserError(
      `embedding_model missing: candidates retrieved with retrieval ${retrieval} wants an encoder. Give its folder or hub id, --retrieval bm25, or --candidates rows.`,
    );
}

/** The encoder whose vectors the search wants; undefined where it wants none. */
export function searchEncoder({ candidates, retrieval, embedding_model }: ScorePassagesSettings): string | undefined {
  return candidates === "retrieved" && retrieval !== "bm25" ? embedding_model : undefined;
}

/** `tally` counts and bills what is asked of an encoder behind an API. */
export type SearchContext = StageContext & { tally?: RequestTally | undefined };

async function search(
  questions: readonly TeacherQuestion[],
  documents: readonly Document[],
  settings: ScorePassagesSettings,
  { env, reporter, signal, tally }: SearchContext,
): Promise<Document[][]> {
  const { embedding_model: model = "", device, truncate_dim: truncateDim, index_path: indexPath } = settings;
  const keepIn = indexPath ?? join(dirname(settings.output_file), VECTORS_FOLDER);
  const context = { env, reporter, signal, device };
  const { bm25_weight, retrieval, retrieval_choice_of, truncate_dim, vector_store, vector_store_url } = settings;
  const retriever = await openRetriever(documents, {
    ...context,
    settings: { bm25_weight, retrieval, retrieval_choice_of, truncate_dim, vector_store, vector_store_url },
    model,
    openEncoder: () =>
      openPassageEncoder(model, { ...context, keepIn, truncateDim, requests: settings, ...(tally ? { tally } : {}) }),
    ...(indexPath === undefined ? {} : { indexPath }),
    questions: questions.length,
  });
  try {
    const found = await retriever.retrieve(questions.map(retrievalQuery), settings.num_docs, { reporter, signal });
    return found.map((one) => [...one.documents]);
  } finally {
    await retriever.close();
  }
}

/** The passages of each question that are scored: all gold ones, then others up to `num_docs`; as they are in the database, where they are. */
export async function candidatesOf(
  questions: readonly TeacherQuestion[],
  documents: readonly Document[],
  settings: ScorePassagesSettings,
  context: SearchContext,
): Promise<Document[][]> {
  const others =
    settings.candidates === "rows"
      ? questions.map(({ hard_neg_docs }) => hard_neg_docs)
      : await search(questions, documents, settings, context);
  const known = new Map(documents.map((document) => [documentKey(document), document]));
  return questions.map(({ gold_docs }, i) => {
    const all = distinctDocuments([...gold_docs, ...(others[i] ?? [])]);
    const count = Math.max(settings.num_docs, distinctDocuments(gold_docs).length);
    return all.slice(0, count).map((document) => known.get(documentKey(document)) ?? document);
  });
}
