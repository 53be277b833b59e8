import { z } from "zod";

/** A passage's origin. `source` (a URL or path) is always there; other keys are kept as they came. */
export const metadataSchema = z.looseObject({ source: z.string(), title: z.string().optional() });

/** One passage of the document database. */
export const documentSchema = z.object({
  page_content: z.string(),
  fmt_content: z.string(),
  metadata: metadataSchema,
});

export type DocumentMetadata = z.infer<typeof metadataSchema>;
export type Document = z.infer<typeof documentSchema>;

/** Where a passage stands, from the page down: `Title > Heading > Sub`. A first heading that repeats the title is left out. */
export function breadcrumb({ title, headings }: DocumentMetadata): string {
  const path = Array.isArray(headings) ? headings.filter((heading) => typeof heading === "string") : [];
  if (title && path[0] === title) path.shift();
  return [...(title ? [title] : []), ...path].join(" > ");
}

const ADDRESS = /^https?:\/\//i;

/** Where a passage can be opened: its link, else its source, if that is an http or https address. A database is not trusted with `javascript:`. */
export function addressOf({ link, source }: DocumentMetadata): string | undefined {
  return [link, source].find((one): one is string => typeof one === "string" && ADDRESS.test(one));
}

/**
 * The passage as models see it: `Source:` and `Title:` lines (each only when known), a `Content:` line and the text.
 * Format of LocalRQA (ACL 2024 demo), where the title's line has the passage's headings too (`breadcrumb`), and a line `Context:` follows where
 * prepare-docs --contextual had a sentence written (`context_sentence`).
 */
export function formatContent(pageContent: string, metadata: DocumentMetadata): string {
  const lines: string[] = [];
  if (metadata.source) lines.push(`Source: ${metadata.source}`);
  const place = breadcrumb(metadata);
  if (place) lines.push(`Title: ${place}`);
  if (typeof metadata.context_sentence === "string") lines.push(`Context: ${metadata.context_sentence}`);
  lines.push("Content:", pageContent);
  return lines.join("\n").trim();
}

/** Makes a passage, with `fmt_content` derived from the rest. */
export function createDocument(pageContent: string, metadata: DocumentMetadata): Document {
  return { page_content: pageContent, fmt_content: formatContent(pageContent, metadata), metadata };
}

/** Identity of a passage. Two passages are the same when source and content are both equal (as in the reference). */
export function documentKey(document: Pick<Document, "page_content" | "metadata">): string {
  return `${document.metadata.source}\u0000${document.page_content}`;
}

/** The source of a row's first gold passage; empty without one. */
export function sourceOf({ gold_docs: [gold] }: { gold_docs: readonly Pick<Document, "metadata">[] }): string {
  return gold?.metadata.source ?? "";
}

/** Rows with the same source together, sources in the order in which they first come. */
export function groupBySource<T extends { gold_docs: readonly Document[] }>(rows: readonly T[]): T[][] {
  const groups = new Map<string, T[]>();
  for (const row of rows) {
    const group = groups.get(sourceOf(row));
    if (group) group.push(row);
    else groups.set(sourceOf(row), [row]);
  }
  return [...groups.values()];
}

/** The passages, each once. */
export function distinctDocuments(documents: readonly Document[]): Document[] {
  return [...new Map(documents.map((document) => [documentKey(document), document])).values()];
}
