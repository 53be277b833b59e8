import { createDocument, type Document, type DocumentMetadata, documentKey } from "@rag-ft/core";
import { wordCount } from "@rag-ft/text";
import type { Cutting } from "./cut/cut-page.js";
import type { CutPage } from "./files/cut-pages.js";
import { CountedOccurrences, type Occurrences } from "./occurrences.js";
import { isAddress } from "./site/is-address.js";

export interface PassageOptions {
  /** Passages of fewer words are dropped. */
  minWords: number;
  /** Where pages are published: `https://example.org/{path}`; `{page}` is the path without extension and `index`. */
  sourceUrl?: string;
}

/** What is known of the passages made so far; grows. */
export interface PassagesSoFar {
  /** By `documentKey`. */
  passages: Occurrences;
  /** By source, of those that are no duplicates: their `seq_num`. */
  sources: Occurrences;
}

export const noPassages = (): PassagesSoFar => ({
  passages: new CountedOccurrences(),
  sources: new CountedOccurrences(),
});

/** A passage and its tokens. */
export interface CountedPassage {
  passage: Document;
  tokens: number;
}

/** The passages of one page and how many were dropped. */
export interface Passages {
  passages: CountedPassage[];
  short: number;
  duplicates: number;
}

/** A page's address by the template of addresses. */
export function pageUrl(template: string, source: string): string {
  const path = source.split("/").map(encodeURIComponent).join("/");
  const page = path.replace(/\.[^./]+$/, "").replace(/(?:^|\/)(?:index|README)$/i, "");
  return template.replaceAll("{path}", path).replaceAll("{page}", page);
}

/** An address that opens at the passage, when the source is one. */
function linkTo(source: string, { anchor, page }: Cutting): string | undefined {
  if (!isAddress(source)) return undefined;
  const place = anchor !== undefined ? encodeURIComponent(anchor) : page !== undefined ? `page=${page}` : undefined;
  return place === undefined ? undefined : `${source.replace(/#.*$/s, "")}#${place}`;
}

/**
 * The passages of a page that is cut. `seq_num` counts the passages of a source from 1 on, over all pages that share it (rows of a
 * JSONL file may be sections of one page). A passage that was made before from the same source is a duplicate.
 */
export function makePassages(
  { page, file, cuttings }: CutPage,
  options: PassageOptions,
  soFar: PassagesSoFar,
): Passages {
  const made: Passages = { passages: [], short: 0, duplicates: 0 };
  const own =
    page.source === undefined && options.sourceUrl && !isAddress(file.source)
      ? pageUrl(options.sourceUrl, file.source)
      : file.source;
  const source = page.source ?? own;
  const { title } = page;
  for (const cutting of cuttings) {
    if (options.minWords > 0 && wordCount(cutting.content) < options.minWords) {
      made.short++;
      continue;
    }
    const { headings, anchor, lines } = cutting;
    const link = linkTo(source, cutting);
    const metadata: DocumentMetadata = {
      source,
      ...(title ? { title } : {}),
      ...(headings.length > 0 ? { headings } : {}),
      ...(anchor ? { anchor } : {}),
      ...(cutting.page === undefined ? {} : { page: cutting.page }),
      ...(cutting.cell === undefined ? {} : { cell: cutting.cell }),
      ...(lines && !page.withoutLines ? { lines } : {}),
      ...(link ? { link } : {}),
      ...page.metadata,
    };
    if (soFar.passages.next(documentKey({ page_content: cutting.content, metadata })) > 1) {
      made.duplicates++;
      continue;
    }
    const passage = createDocument(cutting.content, { ...metadata, seq_num: soFar.sources.next(source) });
    made.passages.push({ passage, tokens: cutting.tokens });
  }
  return made;
}
