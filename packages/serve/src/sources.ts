import type { FoundPassage } from "@rag-ft/answer";
import { breadcrumb } from "@rag-ft/core";

/** A passage as clients get it. */
export interface SourceData {
  /** Place in the database: what `fetch` of MCP and `/v1/passages/<id>` take. */
  id: number;
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
function urlOf({ document: { metadata } }: FoundPassage): string | undefined {
  return [metadata.link, metadata.source].find((one): one is string => typeof one === "string" && ADDRESS.test(one));
}

export function sourceData(passage: FoundPassage): SourceData {
  const { document, id, score } = passage;
  const url = urlOf(passage);
  const title = breadcrumb(document.metadata);
  return {
    id,
    score,
    source: document.metadata.source,
    ...(url ? { url } : {}),
    ...(title ? { title } : {}),
    text: document.page_content,
  };
}
