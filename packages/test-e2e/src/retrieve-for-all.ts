import { join } from "node:path";
import type { TalliedContext } from "@rag-ft/answer";
import type { Document, QaRow } from "@rag-ft/core";
import {
  countUnanswerable,
  evaluateRetriever,
  openRetriever,
  type RetrievalEvaluation,
  warnUnanswerable,
} from "@rag-ft/retrieval";
import { type ComparedModels, type Side, sidesOf } from "./cells.js";
import type { TestE2eParts } from "./parts.js";
import type { TestE2eSettings } from "./settings.js";

/** A comparison keeps vectors even unasked: a run that is killed later must not embed a database twice. */
function indexPath({ index_path, compare_base, output_dir }: TestE2eSettings, side: Side): string | undefined {
  if (!compare_base) return index_path;
  return side === "tuned" && index_path !== undefined ? index_path : join(output_dir, "index", side);
}

/** What one retriever found. */
export interface SideRetrieval extends RetrievalEvaluation {
  /** Of hybrid search. */
  bm25Weight: number | undefined;
}

/** Each retriever once: it embeds the database and all questions, and is closed before the next is opened. */
export async function retrieveForAll(
  models: ComparedModels["retriever"],
  documents: readonly Document[],
  rows: readonly QaRow[],
  settings: TestE2eSettings,
  context: TalliedContext,
  parts: Pick<TestE2eParts, "openEncoder">,
): Promise<Map<Side, SideRetrieval>> {
  const { reporter, signal } = context;
  const found = new Map<Side, SideRetrieval>();
  for (const side of sidesOf(models)) {
    const model = models[side];
    const retriever = await openRetriever(documents, {
      settings,
      model,
      openEncoder: () => parts.openEncoder({ ...settings, embedding_model_name_or_path: model }, context),
      indexPath: indexPath(settings, side),
      reporter,
      signal,
    });
    try {
      warnUnanswerable(countUnanswerable(documents, rows), rows.length, reporter);
      const evaluation = await evaluateRetriever(retriever, {
        questions: rows,
        depth: settings.embedding_max_num_to_retrieve,
        reporter,
        signal,
      });
      found.set(side, { ...evaluation, bm25Weight: retriever.bm25Weight });
    } finally {
      await retriever.close();
    }
  }
  return found;
}
