import { join } from "node:path";
import {
  type Document,
  documentKey,
  InternalError,
  type QuestionsRow,
  readDocuments,
  retrievalQuery,
  type StageContext,
  UserError,
} from "@rag-ft/core";
import type { RequestTally } from "@rag-ft/llm";
import {
  type Mined,
  mineHardNegatives,
  miningOptions,
  openDenseRetriever,
  openPassageEncoder,
  VECTORS_FOLDER,
} from "@rag-ft/retrieval";
import { areNear, shingles } from "@rag-ft/text";
import type { GenQuestionsSettings } from "./settings.js";

/** The encoder that is to be trained, as it is before. */
export interface BaseRetriever {
  /** The questions for which each of the row's passages, or a near-duplicate of it, is among the best `round_trip_k`. */
  roundTrip(row: Pick<QuestionsRow, "gold_docs" | "chat_history">, questions: readonly string[]): Promise<string[]>;
  /** The rows with hard negatives from the whole database. */
  mine(rows: readonly QuestionsRow[]): Promise<Mined>;
  close(): Promise<void>;
}

/** Whether a passage, or a near-duplicate of it, is among those found. */
function isAmong(gold: Document, retrieved: readonly Document[]): boolean {
  const key = documentKey(gold);
  if (retrieved.some((other) => documentKey(other) === key)) return true;
  const own = shingles(gold.page_content);
  return retrieved.some((other) => areNear(own, shingles(other.page_content)));
}

/** What a run needs a base retriever for. */
export function needsRetriever({ filters, hard_negatives }: GenQuestionsSettings): boolean {
  return filters.includes("round-trip") || hard_negatives === "mined";
}

/** Embeds the database; `tally` counts the requests of an encoder that is asked over the API. @throws UserError without `embedding_model`. */
export async function openBaseRetriever(
  settings: GenQuestionsSettings,
  context: StageContext & { tally?: RequestTally },
): Promise<BaseRetriever> {
  if (settings.embedding_model === undefined)
    throw new UserError(
      "--filters round-trip and --hard_negatives mined search the database with a base retriever: give an encoder in --embedding_model, best the one that is to be trained.",
    );
  const documents = await readDocuments(settings.document_path);
  const encoder = await openPassageEncoder(settings.embedding_model, {
    ...context,
    device: settings.device,
    requests: settings,
    keepIn: settings.index_path ?? join(settings.save_dir, VECTORS_FOLDER),
  });
  const retriever = await openDenseRetriever(documents, encoder, {
    ...context,
    indexPath: settings.index_path,
    // Somewhat more are asked: those that are not kept.
    questions: settings.num_train_data + settings.num_eval_test_data,
  });
  // One search after the other: the cores are busy with one, and a passage's questions are a batch of their own, so that their
  // vectors do not depend on what else is asked at the time.
  let last: Promise<unknown> = Promise.resolve();
  const search = (questions: readonly string[]) => {
    const next = last
      .catch(() => undefined)
      .then(() => retriever.retrieve(questions, settings.round_trip_k, { signal: context.signal }));
    last = next;
    return next;
  };
  return {
    async roundTrip({ gold_docs, chat_history }, questions) {
      if (questions.length === 0) return [];
      const found = await search(questions.map((question) => retrievalQuery({ question, chat_history })));
      return questions.filter((_, i) => {
        const retrieved = found[i]?.documents;
        if (!retrieved) throw new InternalError("The search gave fewer results than questions.");
        return gold_docs.every((gold) => isAmong(gold, retrieved));
      });
    },
    mine: (rows) => mineHardNegatives(rows, { ...context, retriever, ...miningOptions(settings) }),
    close: retriever.close,
  };
}
