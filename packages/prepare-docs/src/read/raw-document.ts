import type { DocumentMetadata } from "@rag-ft/core";

/** A whole page before it is cut. */
export interface RawDocument {
  /** Plain text or Markdown. */
  text: string;
  metadata: DocumentMetadata;
}
