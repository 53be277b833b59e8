import { type Document, documentId } from "@rag-ft/core";
import type { ForeignLanguage } from "@rag-ft/llm";

/** The language of passages that are not in English, and how many of those asked about are such. */
export class ForeignPassages {
  private readonly seen = new Set<string>();
  private readonly foreign = new Set<string>();

  constructor(private readonly languageOf: ForeignLanguage) {}

  /** What a prompt calls the passage's language; undefined for English. */
  of(passage: Document): string | undefined {
    return this.languageOf(passage.page_content);
  }

  /** Likewise, of a passage that is asked about. */
  asked(passage: Document): string | undefined {
    const language = this.of(passage);
    const id = documentId(passage);
    this.seen.add(id);
    if (language !== undefined) this.foreign.add(id);
    return language;
  }

  /** Passages asked about that are not in English. */
  get count(): number {
    return this.foreign.size;
  }

  /** For people; none where all is English. */
  lines(): string[] {
    if (this.foreign.size === 0) return [];
    return [
      `${this.foreign.size} of the ${this.seen.size} passages asked about are not in English: their questions were asked for in their language.`,
    ];
  }
}
