import { formatTable, type TableRow } from "@rag-ft/core";
import {
  type Estimate,
  estimateFigures,
  flatEstimates,
  type PairedDifference,
  pairedDifference,
} from "@rag-ft/metrics";
import type { QuestionFigures } from "./collect-results.js";

/** A retriever with its figures on all questions, each measured by a model that did not learn from it. */
export interface ValidatedSystem {
  name: string;
  rows: readonly QuestionFigures[];
  /** Names of the systems that it is compared with. */
  against: readonly string[];
}

const FIGURES = [
  ["test_retr/document_recall/recall1", "recall@1"],
  ["test_retr/document_recall/recall4", "recall@4"],
  ["test_retr/near_recall/recall1", "near@1"],
  ["test_retr/near_recall/recall4", "near@4"],
  ["test_retr/mrr", "MRR"],
] as const;

export type Difference = PairedDifference & { from: string; to: string; figure: string };

/** Each system against those it names, on the figures of the table. */
export function differencesOf(systems: readonly ValidatedSystem[], seed: number): Difference[] {
  const byName = new Map(systems.map((system) => [system.name, system]));
  return systems.flatMap(({ name: to, rows, against }) =>
    against.flatMap((from) =>
      FIGURES.map(([figure]) => ({
        from,
        to,
        figure,
        ...pairedDifference(
          (byName.get(from)?.rows ?? []).map((row) => row[figure] ?? 0),
          rows.map((row) => row[figure] ?? 0),
          { seed },
        ),
      })),
    ),
  );
}

const withInterval = ({ mean, low, high }: Estimate): string =>
  Number.isFinite(low) ? `${mean.toFixed(3)} [${low.toFixed(2)}, ${high.toFixed(2)}]` : mean.toFixed(3);

const signed = (value: number): string => `${value >= 0 ? "+" : ""}${value.toFixed(3)}`;

/** Both tables, for the terminal. */
export function renderTables(
  systems: readonly ValidatedSystem[],
  differences: readonly Difference[],
  seed: number,
): string {
  const rows = systems.map(({ name, rows }): TableRow => {
    const estimates = estimateFigures(rows, { seed });
    return {
      retriever: name,
      ...Object.fromEntries(
        FIGURES.map(([figure, title]) => [title, estimates[figure] && withInterval(estimates[figure])]),
      ),
    };
  });
  const titles = new Map<string, string>(FIGURES);
  const changes = differences.map(
    ({ from, to, figure, difference, low, high, p_value, wins, losses, ties }): TableRow => ({
      difference: `${to} - ${from}`,
      figure: titles.get(figure) ?? figure,
      change: `${signed(difference)} [${signed(low)}, ${signed(high)}]`,
      p: p_value.toFixed(4),
      wins,
      losses,
      ties,
    }),
  );
  return [
    formatTable(rows, ["retriever", ...FIGURES.map(([, title]) => title)]),
    "",
    "Differences, question by question; in brackets 95 % intervals",
    formatTable(changes, ["difference", "figure", "change", "p", "wins", "losses", "ties"]),
  ].join("\n");
}

/** The tables' content for a file. */
export function describeSystems(systems: readonly ValidatedSystem[], seed: number): object[] {
  return systems.map(({ name, rows }) => ({ name, figures: flatEstimates(estimateFigures(rows, { seed })) }));
}
