import { type BootstrapOptions, estimateFigures, flatEstimates, intervalNote, pairedDifference } from "@rag-ft/metrics";
import { comparedNames, differencesTable, figuresTable } from "@rag-ft/test-retriever";
import type { QuestionFigures } from "./collect-results.js";

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
