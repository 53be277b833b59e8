import type { Document, TurnRow } from "@rag-ft/core";
import { overlap } from "@rag-ft/text";

/** What a turn's passages are to its answer. */
export interface SupportedTurn {
  gold: Document;
  /** Share of the answer's words that the gold passage has. */
  support: number;
  /** Those with less than half of the gold one's share, in the order in which they were found. */
  negatives: Document[];
}

/**
 * The passage that an answer was taken from: the one with the largest share of its words, the better ranked of equals. Undefined when none has `least` of
 * them: a user found the answer right, but nothing here says where it stands.
 */
export function supportedTurn(
  { answer, passages }: Pick<TurnRow, "answer" | "passages">,
  least: number,
): SupportedTurn | undefined {
  const supported = passages.map((passage) => ({ passage, support: overlap(passage.page_content, answer) }));
  const best = supported.reduce<(typeof supported)[number] | undefined>(
    (found, one) => (found === undefined || one.support > found.support ? one : found),
    undefined,
  );
  if (best === undefined || best.support < least || best.support === 0) return undefined;
  const negatives = supported.filter(({ support }) => support < best.support / 2).map(({ passage }) => passage);
  return { gold: best.passage, support: best.support, negatives };
}
