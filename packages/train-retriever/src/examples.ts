import { type Document, documentKey, type Random, retrievalQuery } from "@rag-ft/core";
import type { RetrievalExample } from "@rag-ft/retrieval";
import type { Masks, OfGold } from "./masks.js";

/** What one step of contrastive training compares. */
export interface ContrastiveExamples {
  queries: string[];
  /** Distinct passages: gold ones of the batch, positives drawn besides, then hard negatives. */
  passages: Document[];
  /** For each query, the place of its gold passage among `passages`. */
  labels: number[];
  /** Pairs (query, passage) that are no negatives. */
  excluded: [query: number, passage: number][];
  /** Those of them that are positives beside the question's gold passage. */
  positives: [query: number, passage: number][];
  /** How many of them are excluded for being near-duplicates alone. */
  nearDuplicates: number;
}

/**
 * Puts a batch together. A passage that is gold for several questions stands once among the passages, so it is never a negative
 * of its own questions; further gold passages of a question, and passages with the text of one, are excluded for it.
 * So are near-duplicates of its gold passages as `masks` tells them, be they gold for others or hard negatives. With `positives`, further gold passages, passages with the text of one, and such as hold one are positives of their question.
 * `Math.floor(hardNegRatio · questions)` hard negatives are sampled from the batch's own, never one that is gold in the batch.
 */
export function composeBatch(
  batch: readonly RetrievalExample[],
  hardNegRatio: number,
  random: Random,
  { isNear, positives: further }: Masks = {},
): ContrastiveExamples {
  const places = new Map<string, number>();
  const passages: Document[] = [];
  const place = (document: Document): number => {
    const key = documentKey(document);
    let found = places.get(key);
    if (found === undefined) {
      found = passages.length;
      places.set(key, found);
      passages.push(document);
    }
    return found;
  };
  const labels = batch.map((example) => place(example.gold_docs[0] as Document));
  if (further) for (const example of batch) further.draw(example, random).forEach(place);

  const goldKeys = new Set(batch.flatMap((example) => example.gold_docs.map(documentKey)));
  const candidates = new Map<string, Document>();
  for (const example of batch) {
    for (const document of example.hard_neg_docs) {
      const key = documentKey(document);
      if (!goldKeys.has(key)) candidates.set(key, document);
    }
  }
  random.sample([...candidates.values()], Math.floor(hardNegRatio * batch.length)).forEach(place);

  const excluded: [number, number][] = [];
  const positives: [number, number][] = [];
  let nearDuplicates = 0;
  batch.forEach((example, query) => {
    const keys = new Set(example.gold_docs.map(documentKey));
    const texts = new Set(example.gold_docs.map((document) => document.page_content));
    passages.forEach((passage, at) => {
      if (at === labels[query]) return;
      const same = keys.has(documentKey(passage)) || texts.has(passage.page_content);
      const of = (test: OfGold | undefined): boolean =>
        test !== undefined && example.gold_docs.some((gold) => test(gold, passage));
      const holds = !same && of(further?.holds);
      const near = holds || (!same && of(isNear));
      if (same || near) excluded.push([query, at]);
      if (holds || (further && same)) positives.push([query, at]);
      if (near) nearDuplicates++;
    });
  });
  return { queries: batch.map(retrievalQuery), passages, labels, excluded, positives, nearDuplicates };
}
