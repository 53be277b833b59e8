import { createRandom, groupBySource, type QuestionsRow, questionCount, UserError } from "@rag-ft/core";

/** The questions of one fold's training: those it learns from, those that choose the checkpoint, those that it is measured on. */
export interface Fold {
  train: QuestionsRow[];
  eval: QuestionsRow[];
  test: QuestionsRow[];
}

/**
 * `count` parts of about equal numbers of questions, no source in two of them: a fold would train on pages that it is measured on. Sources are dealt in random order, large ones first,
 * each to the part that has the fewest questions. Fold i is measured on part i, chosen on part i + 1, trained on the others.
 *
 * @throws UserError when there are fewer sources than parts.
 */
export function foldsBySource(rows: readonly QuestionsRow[], count: number, seed: number): Fold[] {
  const groups = createRandom(seed).shuffle(groupBySource(rows.filter(({ questions }) => questions.length > 0)));
  if (groups.length < count)
    throw new UserError(
      `${groups.length} sources have questions: too few for ${count} folds, each of which needs one of its own. Give fewer --folds or more questions.`,
    );
  groups.sort((a, b) => questionCount(b) - questionCount(a));
  const parts: QuestionsRow[][] = Array.from({ length: count }, () => []);
  for (const group of groups) {
    const smallest = parts.reduce((best, part) => (questionCount(part) < questionCount(best) ? part : best));
    smallest.push(...group);
  }
  return parts.map((test, i) => {
    const next = (i + 1) % count;
    return { test, eval: parts[next] ?? [], train: parts.filter((_, j) => j !== i && j !== next).flat() };
  });
}
