import { type Document, documentKey, type Random } from "@rag-ft/core";

/** Passages of an example: those that must stay, and retrieved ones by rank, best first. */
export interface ContextPassages {
  gold: readonly Document[];
  retrieved: readonly Document[];
}

/** Gold passages, then retrieved ones that are not gold, up to `maximum + 1` in all (the reference's rule). */
export function contextPassages(
  gold: readonly Document[],
  retrieved: readonly Document[],
  maximum: number,
): ContextPassages {
  const keys = new Set(gold.map(documentKey));
  const others = retrieved.filter((document) => !keys.has(documentKey(document)));
  return { gold, retrieved: others.slice(0, Math.max(0, maximum + 1 - gold.length)) };
}

/**
 * Chooses and orders the passages so that `fits` holds: retrieved ones are left out from the lowest rank on, gold ones never. The
 * order is shuffled, since the gold passage stands anywhere in use. Undefined when even the gold passages do not fit, or, without any, a single one.
 */
export function fitContext(
  { gold, retrieved }: ContextPassages,
  random: Random,
  fits: (passages: readonly Document[]) => boolean,
): { passages: Document[]; dropped: number } | undefined {
  // One draw an example, so that dropping changes no other example's order.
  const order = random.shuffle([...gold, ...retrieved]);
  for (let kept = retrieved.length; kept >= (gold.length > 0 ? 0 : 1); kept--) {
    const left = new Set<Document>([...gold, ...retrieved.slice(0, kept)]);
    const passages = order.filter((document) => left.has(document));
    if (fits(passages)) return { passages, dropped: retrieved.length - kept };
  }
  return undefined;
}
