import { createRandom, deriveSeed, documentKey, type QuestionsRow, type Random, UserError } from "@rag-ft/core";
import type { PassageRow } from "./choose-passages.js";
import type { GenQuestionsSettings } from "./settings.js";
import { shuffledBySource, withoutSources } from "./split-by-source.js";

/** Each mode draws from a sequence of its own, so that one after the other gives what `all` gives. */
const SEEDS = { passages: 0, heldOut: 1, train: 2 };
export const randomFor = (seed: number, part: keyof typeof SEEDS): Random => createRandom(seed * 3 + SEEDS[part]);

/** Draws hard negatives from other sources, so that it changes nothing of what is drawn within a source. */
export const elsewhereRandom = (seed: number): Random => createRandom(deriveSeed(seed, 3));

/** The passages in the order in which held-out questions are asked of them. */
export function heldOutOrder(passages: readonly PassageRow[], { seed, split_by }: GenQuestionsSettings): PassageRow[] {
  const random = randomFor(seed, "heldOut");
  return split_by === "source" ? shuffledBySource(passages, random) : random.shuffle(passages);
}

/** The passages that may be asked about for training, in view of the held-out questions. */
export function leftForTraining(
  passages: readonly PassageRow[],
  heldOut: readonly Pick<QuestionsRow, "gold_docs">[],
  split: GenQuestionsSettings["split_by"],
): readonly PassageRow[] {
  if (split === "source") return withoutSources(passages, heldOut);
  if (split === "question") return passages;
  const taken = new Set(heldOut.flatMap(({ gold_docs }) => gold_docs.map(documentKey)));
  return passages.filter(({ gold_docs }) => !gold_docs.some((gold) => taken.has(documentKey(gold))));
}

/** The passages in the order in which training questions are asked of them. */
export function trainOrder(
  passages: readonly PassageRow[],
  heldOut: readonly Pick<QuestionsRow, "gold_docs">[],
  { seed, split_by, document_path }: GenQuestionsSettings,
): PassageRow[] {
  const left = leftForTraining(passages, heldOut, split_by);
  if (left.length === 0)
    throw new UserError(
      `${document_path}: the held-out questions take all ${split_by}s, so that --split_by ${split_by} leaves none for training. Ask for fewer held-out questions (--num_eval_test_data), give more documents, or ${split_by === "source" ? "split by passage" : "--split_by question, which asks the same passages again"}.`,
    );
  return randomFor(seed, "train").shuffle(left);
}
