import type { Document } from "@rag-ft/core";
import { NearDuplicates, words } from "@rag-ft/text";

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
  const near = await NearDuplicates.find(texts, { signal });
  const lengths = texts.map((text) => words(text).length);
  const byLength = [...passages.keys()].sort((a, b) => (lengths[b] as number) - (lengths[a] as number) || a - b);
  const kept = new Set<number>();
  const repeated = new Map<number, RepeatedPassage>();
  for (const id of byLength) {
    const [container] = near
      .containing(id)
      .filter((other) => kept.has(other.id))
      .sort((a, b) => b.share - a.share || a.id - b.id);
    if (container === undefined) kept.add(id);
    else
      repeated.set(id, {
        passage: passages[id] as Document,
        contained_in: passages[container.id] as Document,
        share: container.share,
      });
  }
  return [...repeated].sort(([a], [b]) => a - b).map(([, one]) => one);
}
