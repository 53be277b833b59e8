import { formatTable, signed, type TableRow } from "@rag-ft/core";
import type { Estimate, PairedDifference } from "@rag-ft/metrics";

/** Figures shown of a retriever, with their headings. */
export function shownFigures(ks: readonly number[]): [figure: string, title: string][] {
  const deepest = ks.at(-1) ?? 1;
  return [
    ...ks.map((k): [string, string] => [`test_retr/document_recall/recall${k}`, `recall@${k}`]),
    ...ks.map((k): [string, string] => [`test_retr/near_recall/recall${k}`, `near@${k}`]),
    ["test_retr/mrr", "MRR"],
    [`test_retr/ndcg/ndcg${deepest}`, `nDCG@${deepest}`],
    ["test_retr/map", "MAP"],
  ];
}

function withInterval({ mean, low, high }: Estimate): string {
  const shown = mean.toFixed(3);
  return Number.isFinite(low) ? `${shown} [${low.toFixed(3)}, ${high.toFixed(3)}]` : shown;
}

/** One line a retriever, each figure with its 95 % interval. */
export function figuresTable(
  systems: readonly { label: string; estimates: Readonly<Record<string, Estimate>> }[],
  ks: readonly number[],
): string {
  const columns = shownFigures(ks);
  const rows = systems.map(
    ({ label, estimates }): TableRow => ({
      retriever: label,
      ...Object.fromEntries(
        columns.map(([figure]) => {
          const estimate = estimates[figure];
          return [figure, estimate && withInterval(estimate)];
        }),
      ),
    }),
  );
  return formatTable(rows, ["retriever", ...columns.map(([key, title]) => ({ key, title }))]);
}

/** What separates each retriever from the one it is compared with. */
export function differencesTable(
  differences: readonly (PairedDifference & { from: string; to: string; figure: string })[],
  ks: readonly number[],
): string {
  const titles = new Map(shownFigures(ks));
  const rows = differences.map(
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
  return formatTable(rows, ["difference", "figure", "change", "p", "wins", "losses", "ties"]);
}
