import type { Document, Reporter } from "@rag-ft/core";
import type { Ranked } from "./best-passages.js";
import type { Page } from "./page.js";

/** What was retrieved for one question, best first. */
export interface Retrieved {
  documents: Document[];
  /** Places of the passages in the database. */
  ids: number[];
  /** Inner products, or what else the search ranks by. */
  scores: number[];
}

/** Which part of the ranking is wanted, of which passages, and who is told and may stop it. */
export interface RetrieveOptions extends Omit<Page, "limit"> {
  reporter?: Reporter;
  signal?: AbortSignal;
}

/** Finds passages for questions, by whatever means: the one interface of everything that searches. */
export interface Retriever {
  readonly documents: readonly Document[];
  /**
   * At most `k` passages a question, best first, equal scores by the lower place in the database; with `offset` the `k` that come after so many,
   * with `filter` only passages whose metadata fits it. Pages put together are one deep search, where the search is exact.
   */
  retrieve(questions: readonly string[], k: number, options?: RetrieveOptions): Promise<Retrieved[]>;
}

/** Ranked places with their passages, which are fetched for all questions together. */
export async function withDocuments(
  found: readonly Ranked[],
  fetch: (ids: number[]) => Promise<Document[]>,
): Promise<Retrieved[]> {
  const documents = await fetch(found.flatMap(({ ids }) => Array.from(ids)));
  let next = 0;
  return found.map(({ ids, scores }) => {
    const from = next;
    next += ids.length;
    return { ids: Array.from(ids), scores: Array.from(scores), documents: documents.slice(from, next) };
  });
}
