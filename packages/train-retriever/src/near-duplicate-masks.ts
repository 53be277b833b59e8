import { type Document, distinctDocuments, documentKey } from "@rag-ft/core";
import { NearDuplicates } from "@rag-ft/text";
import type { ContrastiveExamples } from "./examples.js";
import type { OfGold } from "./masks.js";

/** Passages that contain others, but for some of their words. */
export interface NearPassages {
  /** Whether one of two passages contains the other. */
  isNear: OfGold;
  /** Whether the passage contains the gold one: not a fragment of it, which need not hold the answer. */
  holds: OfGold;
  /** All that contain this one. */
  holding(gold: Document): readonly Document[];
}

/** Finds near-duplicates among these passages; what was found of one is kept. */
export async function nearPassagesOf(passages: readonly Document[], signal: AbortSignal): Promise<NearPassages> {
  const documents = distinctDocuments(passages);
  const keys = documents.map(documentKey);
  const ids = new Map(keys.map((key, id) => [key, id]));
  const texts = documents.map(({ page_content }) => page_content);
  const found = await NearDuplicates.find(texts, { signal });
  const remembered = (look: (id: number) => readonly number[]): ((gold: Document) => ReadonlySet<number>) => {
    const known = new Map<number, ReadonlySet<number>>();
    return (gold) => {
      const id = ids.get(documentKey(gold));
      if (id === undefined) return new Set();
      const set = known.get(id) ?? new Set(look(id));
      known.set(id, set);
      return set;
    };
  };
  const near = remembered((id) => found.near(id));
  const containing = remembered((id) => found.containing(id).map(({ id: other }) => other));
  const isIn = (set: ReadonlySet<number>, passage: Document): boolean => set.has(ids.get(documentKey(passage)) ?? -1);
  return {
    isNear: (gold, passage) => isIn(near(gold), passage),
    holds: (gold, passage) => isIn(containing(gold), passage),
    holding: (gold) => [...containing(gold)].sort((a, b) => a - b).map((id) => documents[id] as Document),
  };
}

export interface MaskCounts {
  /** Pairs of a question and a passage that is not its gold one. */
  pairs: number;
  /** Those that are no negatives, as near-duplicates of gold passages. */
  masked_pairs: number;
  /** In [0, 1]. */
  share: number;
}

/** What a run masks. A batch depends on its number alone, so that all of them can be counted before the first is trained on. */
export function countMasked(batches: Iterable<ContrastiveExamples>): MaskCounts {
  let [pairs, masked] = [0, 0];
  for (const { queries, passages, nearDuplicates } of batches) {
    pairs += queries.length * (passages.length - 1);
    masked += nearDuplicates;
  }
  return { pairs, masked_pairs: masked, share: pairs === 0 ? 0 : masked / pairs };
}
