import { type Document, documentKey } from "@rag-ft/core";
import type { RetrievalExample } from "@rag-ft/retrieval";
import { NearDuplicates } from "@rag-ft/text";
import type { ContrastiveExamples } from "./examples.js";
import type { IsNear } from "./masks.js";

/** Finds the near-duplicates among all gold passages and hard negatives of the examples. */
export async function nearDuplicatesOf(examples: readonly RetrievalExample[], signal: AbortSignal): Promise<IsNear> {
  const documents = new Map<string, Document>();
  for (const { gold_docs, hard_neg_docs } of examples)
    for (const document of [...gold_docs, ...hard_neg_docs]) documents.set(documentKey(document), document);
  const keys = [...documents.keys()];
  const texts = [...documents.values()].map(({ page_content }) => page_content);
  const found = await NearDuplicates.find(texts, { signal });
  const near = new Map(keys.map((key, id) => [key, new Set(found.near(id).map((other) => keys[other]))]));
  return (gold, passage) => near.get(documentKey(gold))?.has(documentKey(passage)) ?? false;
}

export interface MaskCounts {
  /** Pairs of a question and a passage that is not its gold one. */
  pairs: number;
  /** Those that are no negatives for one reason. */
  masked_pairs: number;
  /** In [0, 1]. */
  share: number;
}

/**
 * What a run masks, as near-duplicates of gold passages and as likely answers. A batch depends on its number alone, so that all of them can be
 * counted before the first is trained on.
 */
export function countMasked(batches: Iterable<ContrastiveExamples>): {
  near_duplicates: MaskCounts;
  guided: MaskCounts;
} {
  let [pairs, near, likely] = [0, 0, 0];
  for (const { queries, passages, nearDuplicates, guided } of batches) {
    pairs += queries.length * (passages.length - 1);
    near += nearDuplicates;
    likely += guided;
  }
  const counts = (masked: number): MaskCounts => ({
    pairs,
    masked_pairs: masked,
    share: pairs === 0 ? 0 : masked / pairs,
  });
  return { near_duplicates: counts(near), guided: counts(likely) };
}
