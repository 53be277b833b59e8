import { type Document, InternalError } from "@rag-ft/core";

/** The passages at these places of the database, in the order asked for. */
export function documentsAt(documents: readonly Document[], ids: ArrayLike<number>): Document[] {
  return Array.from(ids, (id) => {
    const document = documents[id];
    if (document === undefined) throw new InternalError(`The search returned passage ${id}, which is not there.`);
    return document;
  });
}
