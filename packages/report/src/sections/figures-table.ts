import type { Content } from "@rag-ft/page";
import { changeOf } from "../figures/change.js";
import type { Run } from "../read/read-run.js";
import { formatChange, formatFigure } from "./format.js";
import { table } from "./table.js";

/** A figure a line, a system a column, and what changed from base to tuned, where there are both. */
export function figuresTable(
  { systems, base, tuned }: Run,
  figures: readonly { name: string; title: Content }[],
): Content {
  const columns = [
    { title: "figure" },
    ...systems.map(({ label }) => ({ title: label, number: true })),
    ...(base && tuned ? [{ title: "change", number: true }] : []),
  ];
  const rows = figures.map(({ name, title }) => [
    title,
    ...systems.map((system) => formatFigure(system.figures.get(name))),
    ...(base && tuned ? [formatChange(changeOf(base, tuned, name))] : []),
  ]);
  return table(columns, rows);
}
