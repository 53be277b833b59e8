import type { Document } from "@rag-ft/core";
import { findRepeatedTexts } from "@rag-ft/text";

/** A passage that another one makes superfluous. */
export interface RepeatedPassage {
  passage: Document;
  /** A passage that is not repeated itself. */
  contained_in: Document;
  /** Share of the passage's runs of three words that the other has, above 0.8. */
  share: number;
}

/**
 * The passages without which the others still hold nearly all of the text. Longest first, a passage is kept unless one that is kept
 * contains it; of equal ones the first is kept. In the order of the database.
 */
export async function findRepeated(passages: readonly Document[], signal: AbortSignal): Promise<RepeatedPassage[]> {
  const texts = passages.map(({ page_content }) => page_content);
  return (await findRepeatedTexts(texts, { signal })).map(({ id, container, share }) => ({
    passage: passages[id] as Document,
    contained_in: passages[container] as Document,
    share,
  }));
}

/** A line of the list of what was left out. */
export function droppedRow({ passage, contained_in, share }: RepeatedPassage): Record<string, unknown> {
  const { source, seq_num } = contained_in.metadata;
  return { page_content: passage.page_content, metadata: passage.metadata, contained_in: { source, seq_num }, share };
}
