import type { Document, DocumentMetadata } from "@rag-ft/core";

export type MetadataValue = string | number | boolean;

/**
 * Which passages a search may find: under each key the passage's metadata holds the value, or one of the values. A key that a passage does not
 * have fits no value, and an empty list fits no passage. That much a database translates to `=` and `IN`, joined by AND.
 */
export type MetadataFilter = Readonly<Record<string, MetadataValue | readonly MetadataValue[]>>;

/** Whether a passage with this metadata may be found. */
export function fitsFilter(metadata: DocumentMetadata, filter: MetadataFilter): boolean {
  return Object.entries(filter).every(([key, wanted]) => {
    const value = Object.hasOwn(metadata, key) ? metadata[key] : undefined;
    return Array.isArray(wanted) ? wanted.includes(value) : value === wanted;
  });
}

/** Places of the passages that fit, ascending; undefined without a filter: all. */
export function fittingPassages(
  documents: readonly Document[],
  filter: MetadataFilter | undefined,
): Int32Array | undefined {
  if (filter === undefined) return undefined;
  return Int32Array.from(documents.flatMap(({ metadata }, id) => (fitsFilter(metadata, filter) ? [id] : [])));
}
