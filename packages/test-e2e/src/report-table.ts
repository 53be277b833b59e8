import { formatTable, signed, type TableRow, type TwoByTwoEffect } from "@rag-ft/core";
import { intervalName } from "@rag-ft/metrics";
import type { Score } from "./score.js";

/** Headline figures and their headings, in the order of the table. */
const COLUMNS: readonly [figure: string, title: string, digits: number][] = [
  ["test_retr/document_recall/recall1", "recall@1", 3],
  ["test_retr/document_recall/recall4", "recall@4", 3],
  ["test_retr/near_recall/recall1", "near@1", 3],
  ["test_retr/near_recall/recall4", "near@4", 3],
  ["test_gen/rouge1", "ROUGE-1", 3],
  ["test_gen/rouge2", "ROUGE-2", 3],
  ["test_gen/rougeL", "ROUGE-L", 3],
  ["test_gen/f1", "F1", 3],
  ["test_gen/gpt4_acc", "GPT4-Acc", 3],
  ["test_gen/answer_length", "words", 1],
  ["test_gen/latency_s", "s/answer", 2],
];

/** Those of a table of many systems. */
const NARROW = new Set(["recall@1", "recall@4", "near@4", "ROUGE-L", "F1", "GPT4-Acc", "words"]);

function intervalText(interval: Score[string] | undefined, digits: number): string {
  // Two places tell all that an interval of some dozens of questions can.
  const shown = (value: number): string => value.toFixed(Math.min(digits, 2));
  return Array.isArray(interval) ? `${shown(interval[0])}–${shown(interval[1])}` : "";
}

export interface TableSystem {
  label: string;
  figures: Readonly<Score>;
}

/** Two lines a system: the headline figures that at least one of them has, and the 95 % interval of each. */
export function reportTable(systems: readonly TableSystem[]): string {
  // One system with its baseline leaves room for all.
  const wide = systems.length <= 2;
  const columns = COLUMNS.filter(
    ([figure, title]) => (wide || NARROW.has(title)) && systems.some((system) => system.figures[figure] !== undefined),
  );
  const rows = systems.flatMap(({ label, figures }): TableRow[] => [
    {
      system: label,
      ...Object.fromEntries(
        columns.map(([figure, , digits]) => {
          const value = figures[figure];
          return [figure, typeof value === "number" ? value.toFixed(digits) : undefined];
        }),
      ),
    },
    {
      system: "95 % interval",
      ...Object.fromEntries(
        columns.map(([figure, , digits]) => [figure, intervalText(figures[intervalName(figure)], digits)]),
      ),
    },
  ]);
  return formatTable(rows, ["system", ...columns.map(([key, title]) => ({ key, title }))]);
}

const PARTS: Record<TwoByTwoEffect["part"], string> = {
  retriever: "tuned retriever",
  generator: "tuned generator",
  both: "both tuned",
};

/** Enough to see which half helped; two-by-two.json has the others. */
const SHOWN_EFFECTS = new Set(["recall@4", "ROUGE-L", "GPT4-Acc"]);

/** What tuning each half changed, everything else equal. `labels` gives a cell's label by its name. */
export function effectsTable(effects: readonly TwoByTwoEffect[], labels: ReadonlyMap<string, string>): string {
  const titles = new Map(COLUMNS.map(([figure, title]) => [figure, title]));
  const shown = effects.filter(({ figure }) => SHOWN_EFFECTS.has(titles.get(figure) ?? figure));
  const rows = shown.map(
    ({ part, from, figure, difference, ci95, p_value, wins, losses, ties }): TableRow => ({
      change: PARTS[part],
      instead: labels.get(from) ?? from,
      figure: titles.get(figure) ?? figure,
      difference: signed(difference),
      interval: ci95 ? `${signed(ci95[0])} to ${signed(ci95[1])}` : "",
      p: p_value.toFixed(3),
      wins,
      losses,
      ties,
    }),
  );
  return formatTable(rows, [
    "change",
    { key: "instead", title: "from" },
    "figure",
    "difference",
    { key: "interval", title: "95 % interval" },
    "p",
    "wins",
    "losses",
    "ties",
  ]);
}
