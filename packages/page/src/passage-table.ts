import { addressOf, breadcrumb, type Document, documentKey } from "@rag-ft/core";

/** A passage as a page holds it. */
export interface PassageData {
  source: string;
  /** Title and headings above it. */
  title?: string;
  /** Address that opens it, where one is known. */
  url?: string;
  text: string;
}

/** The passages of a page, each once, however many questions it was retrieved for. */
export class PassageTable {
  readonly passages: PassageData[] = [];
  private readonly places = new Map<string, number>();

  /** The passage's position in `passages`, where it is put the first time. */
  place(passage: Document): number {
    const key = documentKey(passage);
    const known = this.places.get(key);
    if (known !== undefined) return known;
    const { metadata, page_content: text } = passage;
    const [title, url] = [breadcrumb(metadata), addressOf(metadata)];
    const named = { source: metadata.source, ...(title ? { title } : {}), ...(url ? { url } : {}) };
    const place = this.passages.push({ ...named, text }) - 1;
    this.places.set(key, place);
    return place;
  }
}
