import { figuresAmong } from "@rag-ft/metrics";
import { type Content, html } from "@rag-ft/page";
import { changeOf } from "../figures/change.js";
import type { Run } from "../read/read-run.js";
import type { System } from "../read/system.js";
import { intervalWords } from "./data-note.js";
import { formatChange, formatFigure } from "./format.js";
import type { Section } from "./section.js";
import { table } from "./table.js";

/** Figures of the registry by what they tell, in the order of the tables. */
const TABLES = [
  {
    title: "Answers and refusals",
    about:
      "Each question is asked twice: with passages that may hold its answer, and with passages that do not. The first four add up to all askings.",
    keys: [
      "answered_rightly",
      "refused_rightly",
      "answered_wrongly",
      "refused_wrongly",
      "refused_without_gold",
      "refused_with_gold",
    ],
  },
  {
    title: "Citations",
    about: "Of answers that were asked to name their passages.",
    keys: ["cites", "citation_precision", "invalid_citations"],
  },
] as const;

function figuresTable(systems: readonly System[], keys: readonly string[], { base, tuned }: Run): Content | undefined {
  const figures = figuresAmong(systems.flatMap((system) => [...system.figures.keys()])).filter(({ key }) =>
    keys.includes(key),
  );
  if (figures.length === 0) return undefined;
  const isChange = base !== undefined && tuned !== undefined;
  const columns = [
    { title: "figure" },
    ...systems.map(({ label }) => ({ title: label, number: true })),
    ...(isChange ? [{ title: "change", number: true }] : []),
  ];
  const rows = [...figures]
    .sort((a, b) => keys.indexOf(a.key) - keys.indexOf(b.key))
    .map(({ name, title, better }) => [
      better === "less" ? html`${title} <span class="muted">(less is better)</span>` : title,
      ...systems.map((system) => formatFigure(system.figures.get(name))),
      ...(isChange ? [formatChange(changeOf(base, tuned, name))] : []),
    ]);
  return table(columns, rows);
}

/** Whether systems refuse where they should, and name the right passages; undefined where no test asked for either. */
export function groundingSection(run: Run): Section | undefined {
  const { systems } = run;
  const content = TABLES.flatMap(({ title, about, keys }) => {
    const shown = figuresTable(systems, keys, run);
    return shown === undefined
      ? []
      : [html`<h3>${title}</h3><p>${about} In brackets ${intervalWords(systems)}.</p>${shown}`];
  });
  return content.length === 0 ? undefined : { id: "grounding", title: "Refusals and citations", content };
}
