import { type Document, documentKey, type QuestionsRow } from "@rag-ft/core";

/** First half for evaluation, second for test. */
export function splitHeldOut(rows: readonly QuestionsRow[]): { evaluation: QuestionsRow[]; test: QuestionsRow[] } {
  const half = Math.floor(rows.length / 2);
  return { evaluation: rows.slice(0, half), test: rows.slice(half) };
}

/** Gold passages and hard negatives of some rows, each once: a small database for cheap evaluation. */
export function documentsOf(rows: readonly QuestionsRow[]): Document[] {
  const documents = new Map<string, Document>();
  for (const row of rows)
    for (const document of [...row.gold_docs, ...row.hard_neg_docs])
      if (!documents.has(documentKey(document))) documents.set(documentKey(document), document);
  return [...documents.values()];
}
