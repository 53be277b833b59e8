import { createDocument, type Document } from "@rag-ft/core";

/** Texts that are kept at most. */
const MOST = 1024;

/** Some of many texts, evenly over all, without knowing how many come. */
export class TextSample {
  private texts: string[] = [];
  private every = 1;
  private seen = 0;

  add(text: string): void {
    if (this.seen++ % this.every !== 0) return;
    this.texts.push(text);
    if (this.texts.length < MOST) return;
    this.texts = this.texts.filter((_, i) => i % 2 === 0);
    this.every *= 2;
  }

  documents(): Document[] {
    return this.texts.map((text) => createDocument(text, { source: "" }));
  }
}
