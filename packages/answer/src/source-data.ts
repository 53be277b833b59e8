import { addressOf, breadcrumb, documentId } from "@rag-ft/core";
import type { FoundPassage } from "./rag-search.js";

/** A passage as clients get it. */
export interface SourceData {
  /** `documentId`: what `fetch` of MCP and `/v1/passages/<id>` take. */
  id: string;
  score: number;
  source: string;
  /** Address that opens at the passage, where one is known. */
  url?: string;
  /** Title and headings above it. */
  title?: string;
  text: string;
}

/** A found passage as it is handed on to who cites it: an address only where a browser may follow it. */
export function sourceData(passage: Pick<FoundPassage, "document" | "score">): SourceData {
  const { document, score } = passage;
  const url = addressOf(document.metadata);
  const title = breadcrumb(document.metadata);
  return {
    id: documentId(document),
    score,
    source: document.metadata.source,
    ...(url ? { url } : {}),
    ...(title ? { title } : {}),
    text: document.page_content,
  };
}
