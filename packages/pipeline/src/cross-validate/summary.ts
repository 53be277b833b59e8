import { type BootstrapOptions, estimateFigures, flatEstimates, intervalNote, pairedDifference } from "@rag-ft/metrics";
import { comparedNames, differencesTable, figuresTable } from "@rag-ft/test-retriever";
import type { Recipe } from "./choose-recipe.js";
import type { FoldFigures, FoldSystem, QuestionFigures } from "./collect-results.js";
import type { Variant } from "./variants.js";

/** A retriever with its figures on all questions, each measured by a model that did not learn from it. */
export interface ValidatedSystem {
  name: string;
  rows: readonly QuestionFigures[];
  /** Names of the systems that it is compared with. */
  against: readonly string[];
}

export type Difference = Parameters<typeof differencesTable>[0][number];

/** Each system against those it names, on the figures of the table. */
export function differencesOf(systems: readonly ValidatedSystem[], options: BootstrapOptions): Difference[] {
  const byName = new Map(systems.map((system) => [system.name, system]));
  return systems.flatMap(({ name: to, rows, against }) =>
    against.flatMap((from) =>
      comparedNames(Object.keys(rows[0] ?? {})).map((figure) => ({
        from,
        to,
        figure,
        ...pairedDifference(
          (byName.get(from)?.rows ?? []).map((row) => row[figure] ?? 0),
          rows.map((row) => row[figure] ?? 0),
          options,
        ),
      })),
    ),
  );
}

/** Both tables, for the terminal. */
export function renderTables(
  systems: readonly ValidatedSystem[],
  differences: readonly Difference[],
  options: BootstrapOptions,
): string {
  const shown = systems.map(({ name, rows }) => ({ label: name, estimates: estimateFigures(rows, options) }));
  return [
    figuresTable(shown),
    "",
    `Differences, question by question; in brackets ${intervalNote(shown[0]?.estimates ?? {})}`,
    differencesTable(differences),
  ].join("\n");
}

/** The tables' content for a file. */
export function describeSystems(systems: readonly ValidatedSystem[], options: BootstrapOptions): object[] {
  return systems.map(({ name, rows }) => ({ name, figures: flatEstimates(estimateFigures(rows, options)) }));
}

const allFolds = (folds: readonly FoldFigures[], system: FoldSystem): QuestionFigures[] =>
  folds.flatMap((fold) => fold[system]);

/**
 * All folds' questions one after the other, for each retriever. The base is the same in all variants. Of several variants there is one system more, which has in
 * each fold the variant that does best on that fold's eval questions: nothing in its figures was chosen by them.
 */
export function systemsOf(
  read: ReadonlyMap<Variant, readonly FoldFigures[]>,
  recipe: Recipe | undefined,
): ValidatedSystem[] {
  const systems: ValidatedSystem[] = [];
  const add = (name: string, folds: readonly FoldFigures[]): void => {
    systems.push(
      { name, rows: allFolds(folds, "tuned"), against: ["base"] },
      { name: `${name} + BM25`, rows: allFolds(folds, "tuned_hybrid"), against: ["base + BM25", "base"] },
    );
  };
  for (const [variant, folds] of read) {
    if (systems.length === 0)
      systems.push(
        { name: "BM25", rows: allFolds(folds, "bm25"), against: [] },
        { name: "base", rows: allFolds(folds, "base"), against: [] },
        { name: "base + BM25", rows: allFolds(folds, "base_hybrid"), against: [] },
      );
    add(variant.name, folds);
  }
  if (recipe && read.size > 1) add(NESTED, recipe.nested);
  return systems;
}

/** The system of which nothing was chosen by what is reported. */
export const NESTED = "chosen in each fold";
