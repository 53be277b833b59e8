import { type Document, documentKey } from "@rag-ft/core";

/** A passage as a page holds it. */
export interface PassageData {
  source: string;
  title?: string;
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
    const { source, title } = passage.metadata;
    const place = this.passages.push({ source, ...(title ? { title } : {}), text: passage.page_content }) - 1;
    this.places.set(key, place);
    return place;
  }
}
