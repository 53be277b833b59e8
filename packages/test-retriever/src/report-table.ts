import { formatTable, signed, type TableRow } from "@rag-ft/core";
import { type Estimate, type Figure, figureNamed, figuresAmong, isShown, type PairedDifference } from "@rag-ft/metrics";

/** Those of the named figures that tables of retrievers show, in their order. */
export function shownFigures(names: Iterable<string>): Figure[] {
  return figuresAmong(names).filter((figure) => figure.part === "retriever" && isShown(figure, "own"));
}

/** Names that differences are taken of: the tables', and those of earlier versions that say no depth, such as `test_retr/mrr`. */
export function comparedNames(names: readonly string[]): string[] {
  const shown = shownFigures(names).map(({ name }) => name);
  const bare = names.filter((name) => {
    const figure = figureNamed(name);
    return figure?.part === "retriever" && figure.depth === undefined && !shown.includes(name);
  });
  return [...shown, ...bare];
}

function withInterval({ mean, low, high }: Estimate): string {
  if (!Number.isFinite(mean)) return "-";
  const shown = mean.toFixed(3);
  return Number.isFinite(low) ? `${shown} [${low.toFixed(3)}, ${high.toFixed(3)}]` : shown;
}

/** One line a retriever, each figure with its 95 % interval; where any is reranked, the milliseconds that this takes a question. */
export function figuresTable(
  systems: readonly { label: string; estimates: Readonly<Record<string, Estimate>>; milliseconds?: number }[],
): string {
  const columns = shownFigures(systems.flatMap(({ estimates }) => Object.keys(estimates)));
  const rows = systems.map(
    ({ label, estimates, milliseconds }): TableRow => ({
      retriever: label,
      milliseconds: milliseconds?.toFixed(1),
      ...Object.fromEntries(
        columns.map(({ name }) => {
          const estimate = estimates[name];
          return [name, estimate && withInterval(estimate)];
        }),
      ),
    }),
  );
  const isReranked = systems.some(({ milliseconds }) => milliseconds !== undefined);
  return formatTable(rows, [
    "retriever",
    ...columns.map(({ name, heading }) => ({ key: name, title: heading })),
    ...(isReranked ? [{ key: "milliseconds", title: "reranking, ms/question" }] : []),
  ]);
}

/** What separates each retriever from the one it is compared with. */
export function differencesTable(
  differences: readonly (PairedDifference & { from: string; to: string; figure: string })[],
): string {
  const shown = shownFigures(differences.map(({ figure }) => figure));
  const headings = new Map(shown.map(({ name, heading }) => [name, heading]));
  const rows = differences
    .filter(({ figure }) => headings.has(figure))
    .map(
      ({ from, to, figure, difference, low, high, p_value, wins, losses, ties }): TableRow => ({
        difference: `${to} - ${from}`,
        figure: headings.get(figure),
        change: `${signed(difference)}${Number.isFinite(low) ? ` [${signed(low)}, ${signed(high)}]` : ""}`,
        p: p_value.toFixed(4),
        wins,
        losses,
        ties,
      }),
    );
  return formatTable(rows, ["difference", "figure", "change", "p", "wins", "losses", "ties"]);
}
