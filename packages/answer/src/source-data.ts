import { breadcrumb, documentId } from "@rag-ft/core";
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

const ADDRESS = /^https?:\/\//i;

/** Only what a browser may follow: the database is not trusted with `javascript:`. */
function urlOf({ document: { metadata } }: Pick<FoundPassage, "document">): string | undefined {
  return [metadata.link, metadata.source].find((one): one is string => typeof one === "string" && ADDRESS.test(one));
}

/** A found passage as it is handed on to who cites it: an address only where a browser may follow it. */
export function sourceData(passage: Pick<FoundPassage, "document" | "score">): SourceData {
  const { document, score } = passage;
  const url = urlOf(passage);
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
