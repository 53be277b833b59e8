import { type Document, documentId } from "@rag-ft/core";

const known = new WeakMap<readonly Document[], Map<string, Document>>();

/** The passage with this `documentId`: an id that means the same passage after the database has changed, or none. */
export function passageById(documents: readonly Document[], id: string): Document | undefined {
  let byId = known.get(documents);
  if (!byId) {
    byId = new Map(documents.map((document) => [documentId(document), document]));
    known.set(documents, byId);
  }
  return byId.get(id);
}
