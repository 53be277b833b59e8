import { groupBySource, type QuestionsRow, type Random, sourceOf } from "@rag-ft/core";
import type { PassageRow } from "./choose-passages.js";
import { splitHeldOut } from "./split-held-out.js";

type Rowlike = Pick<QuestionsRow, "gold_docs">;

/** The passages shuffled by source: those of one source stay together, so that held-out questions take up few sources. */
export function shuffledBySource(passages: readonly PassageRow[], random: Random): PassageRow[] {
  return random.shuffle(groupBySource(passages)).flatMap((group) => random.shuffle(group));
}

/** The passages of sources that hold no held-out question. */
export function withoutSources(passages: readonly PassageRow[], heldOut: readonly Rowlike[]): PassageRow[] {
  const taken = new Set(heldOut.map(sourceOf));
  return passages.filter((row) => !taken.has(sourceOf(row)));
}

/** Evaluation and test, cut between two sources as near to the middle as it goes. Rows of a source stand together. */
export function splitBySource(rows: readonly QuestionsRow[]): ReturnType<typeof splitHeldOut> {
  const cuts = rows.flatMap((row, i) => (i > 0 && sourceOf(row) !== sourceOf(rows[i - 1] as QuestionsRow) ? [i] : []));
  if (cuts.length === 0) return splitHeldOut(rows);
  const middle = Math.floor(rows.length / 2);
  const cut = cuts.reduce((best, i) => (Math.abs(i - middle) < Math.abs(best - middle) ? i : best));
  return { evaluation: rows.slice(0, cut), test: rows.slice(cut) };
}
