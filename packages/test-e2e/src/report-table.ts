import { formatTable, signed, type TableRow, type TwoByTwoEffect } from "@rag-ft/core";
import { figuresAmong, intervalName, isShown, SOURCES_NAME } from "@rag-ft/metrics";
import type { Score } from "./score.js";

function intervalText(interval: Score[string] | undefined, digits: number): string {
  // Two places tell all that an interval of some dozens of questions can.
  const shown = (value: number): string => value.toFixed(Math.min(digits, 2));
  return Array.isArray(interval) ? `${shown(interval[0])}–${shown(interval[1])}` : "";
}

export interface TableSystem {
  label: string;
  figures: Readonly<Score>;
}

/** Two lines a system: the figures that at least one of them has, and the 95 % interval of each. */
export function reportTable(systems: readonly TableSystem[]): string {
  const known = figuresAmong(systems.flatMap(({ figures }) => Object.keys(figures)));
  const answer = known.filter(({ part }) => part !== "retriever");
  const answering = systems.filter(({ figures }) => answer.some(({ name }) => figures[name] !== undefined));
  // One system with its baselines, which answer nothing, leaves room for more.
  const level = answering.length <= 1 ? "wide" : "narrow";
  const columns = known.filter((figure) => isShown(figure, level));
  const rows = systems.flatMap(({ label, figures }): TableRow[] => [
    {
      system: label,
      ...Object.fromEntries(
        columns.map(({ name, digits }) => {
          const value = figures[name];
          return [name, typeof value === "number" ? value.toFixed(digits) : undefined];
        }),
      ),
    },
    {
      system: "95 % interval",
      ...Object.fromEntries(
        columns.map(({ name, digits }) => [name, intervalText(figures[intervalName(name)], digits)]),
      ),
    },
  ]);
  const table = formatTable(rows, ["system", ...columns.map(({ name, heading }) => ({ key: name, title: heading }))]);
  const sources = systems.map(({ figures }) => figures[SOURCES_NAME]).find((count) => typeof count === "number");
  return sources === undefined ? table : `${table}\n95 % intervals by source: the questions share ${sources} sources.`;
}

const PARTS: Record<TwoByTwoEffect["part"], string> = {
  retriever: "tuned retriever",
  generator: "tuned generator",
  both: "both tuned",
};

/**
 * What tuning each half changed, everything else equal, by the figures that speak for a part; two-by-two.json has the others. `labels` gives a
 * cell's label by its name.
 */
export function effectsTable(effects: readonly TwoByTwoEffect[], labels: ReadonlyMap<string, string>): string {
  const leads = figuresAmong(effects.map(({ figure }) => figure)).filter((figure) => isShown(figure, "lead"));
  const headings = new Map(leads.map(({ name, heading }) => [name, heading]));
  const shown = effects.filter(({ figure }) => headings.has(figure));
  const rows = shown.map(
    ({ part, from, figure, difference, ci95, p_value, wins, losses, ties }): TableRow => ({
      change: PARTS[part],
      instead: labels.get(from) ?? from,
      figure: headings.get(figure),
      difference: signed(difference),
      interval: ci95 ? `${signed(ci95[0])} to ${signed(ci95[1])}` : "",
      p: p_value.toFixed(3),
      wins,
      losses,
      ties,
    }),
  );
  const sources = Math.max(0, ...shown.map((effect) => effect.sources ?? 0));
  const table = formatTable(rows, [
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
  return sources === 0 ? table : `${table}\n95 % intervals and p by source: the questions share ${sources} sources.`;
}
