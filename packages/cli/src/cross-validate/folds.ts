import { createRandom, type QuestionsRow, UserError } from "@rag-ft/core";

/** The questions of one fold's training: those it learns from, those that choose the checkpoint, those that it is measured on. */
export interface Fold {
  train: QuestionsRow[];
  eval: QuestionsRow[];
  test: QuestionsRow[];
}

const sizeOf = (rows: readonly QuestionsRow[]): number =>
  rows.reduce((sum, { questions }) => sum + questions.length, 0);

/** Rows by the source of their first gold passage: a page's questions stay together, or a fold would train on what it is measured on. */
function bySource(rows: readonly QuestionsRow[]): QuestionsRow[][] {
  const groups = new Map<string, QuestionsRow[]>();
  for (const row of rows) {
    const source = row.gold_docs[0]?.metadata.source ?? "";
    const group = groups.get(source);
    if (group) group.push(row);
    else groups.set(source, [row]);
  }
  return [...groups.values()];
}

/**
 * `count` parts of about equal numbers of questions, no source in two of them. Sources are dealt in random order, large ones first,
 * each to the part that has the fewest questions. Fold i is measured on part i, chosen on part i + 1, trained on the others.
 *
 * @throws UserError when there are fewer sources than parts.
 */
export function foldsBySource(rows: readonly QuestionsRow[], count: number, seed: number): Fold[] {
  const groups = createRandom(seed).shuffle(bySource(rows.filter(({ questions }) => questions.length > 0)));
  if (groups.length < count)
    throw new UserError(
      `${groups.length} sources have questions: too few for ${count} folds, each of which needs one of its own. Give fewer --folds or more questions.`,
    );
  groups.sort((a, b) => sizeOf(b) - sizeOf(a));
  const parts: QuestionsRow[][] = Array.from({ length: count }, () => []);
  for (const group of groups) {
    const smallest = parts.reduce((best, part) => (sizeOf(part) < sizeOf(best) ? part : best));
    smallest.push(...group);
  }
  return parts.map((test, i) => {
    const next = (i + 1) % count;
    return { test, eval: parts[next] ?? [], train: parts.filter((_, j) => j !== i && j !== next).flat() };
  });
}
