import { sourceOf, type TwoByTwoEffect } from "@rag-ft/core";
import { type Figure, figuresAmong, isShown, pairedDifference } from "@rag-ft/metrics";
import { cellOf, type PassageOrigin, type Side } from "./cells.js";
import type { CellResult } from "./evaluate-cell.js";

interface Exchange {
  part: TwoByTwoEffect["part"];
  from: readonly [PassageOrigin, Side];
  to: readonly [PassageOrigin, Side];
}

/** One half exchanged while the other stays, and both at once. */
const EXCHANGES: readonly Exchange[] = [
  { part: "retriever", from: ["base", "base"], to: ["tuned", "base"] },
  { part: "retriever", from: ["base", "tuned"], to: ["tuned", "tuned"] },
  { part: "generator", from: ["base", "base"], to: ["base", "tuned"] },
  { part: "generator", from: ["tuned", "base"], to: ["tuned", "tuned"] },
  { part: "generator", from: ["gold", "base"], to: ["gold", "tuned"] },
  { part: "both", from: ["base", "base"], to: ["tuned", "tuned"] },
];

/** Figures that say which of two cells is better. */
function comparedFigures({ figures }: CellResult): Figure[] {
  const known = figuresAmong(figures.flatMap((row) => Object.keys(row)));
  return known.filter((figure) => figure.share && figure.better !== undefined && isShown(figure, "wide"));
}

/** What separates the cells question by question; only pairs of cells that were run, and figures that can differ between them. */
export function effectsOf(results: ReadonlyMap<string, CellResult>, seed: number): TwoByTwoEffect[] {
  return EXCHANGES.flatMap(({ part, from, to }) => {
    const [first, second] = [from, to].map(([passages, side]) => results.get(cellOf(passages, side).name));
    if (!first || !second) return [];
    const figures = comparedFigures(first).filter((figure) => part !== "generator" || figure.part !== "retriever");
    return figures.flatMap(({ name: figure }): TwoByTwoEffect[] => {
      const pairs = first.figures.flatMap((row, i) => {
        const [a, b] = [row[figure], second.figures[i]?.[figure]];
        const prediction = first.predictions[i];
        return a === undefined || b === undefined || !prediction ? [] : [{ a, b, source: sourceOf(prediction) }];
      });
      if (pairs.length === 0) return [];
      const { difference, low, high, p_value, wins, losses, ties, sources } = pairedDifference(
        pairs.map(({ a }) => a),
        pairs.map(({ b }) => b),
        { seed, sources: pairs.map(({ source }) => source) },
      );
      return [
        {
          part,
          from: first.cell.name,
          to: second.cell.name,
          figure,
          difference,
          ...(Number.isFinite(low) ? { ci95: [low, high] } : {}),
          p_value,
          wins,
          losses,
          ties,
          ...(sources === undefined ? {} : { sources }),
        },
      ];
    });
  });
}
