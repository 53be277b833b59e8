import { createRandom, type QuestionsRow, UserError } from "@rag-ft/core";
import type { PassageRow } from "./choose-passages.js";
import type { GenQuestionsSettings } from "./settings.js";
import { shuffledBySource, withoutSources } from "./split-by-source.js";

/** Each mode draws from a sequence of its own, so that one after the other gives what `all` gives. */
const SEEDS = { passages: 0, heldOut: 1, train: 2 };
export const randomFor = (seed: number, part: keyof typeof SEEDS) => createRandom(seed * 3 + SEEDS[part]);

/** The passages in the order in which held-out questions are asked of them. */
export function heldOutOrder(passages: readonly PassageRow[], { seed, split_by }: GenQuestionsSettings): PassageRow[] {
  const random = randomFor(seed, "heldOut");
  return split_by === "source" ? shuffledBySource(passages, random) : random.shuffle(passages);
}

/** The passages in the order in which training questions are asked of them. */
export function trainOrder(
  passages: readonly PassageRow[],
  heldOut: readonly Pick<QuestionsRow, "gold_docs">[],
  { seed, split_by, document_path }: GenQuestionsSettings,
): PassageRow[] {
  const left = split_by === "source" ? withoutSources(passages, heldOut) : passages;
  if (left.length === 0)
    throw new UserError(
      `${document_path}: the held-out questions take all sources, so that --split_by source leaves none for training. Ask for fewer held-out questions (--num_eval_test_data), give more documents, or split by passage.`,
    );
  return randomFor(seed, "train").shuffle(left);
}
