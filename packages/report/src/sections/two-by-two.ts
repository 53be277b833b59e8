import { figureTitle } from "@rag-ft/metrics";
import { type Content, html } from "@rag-ft/page";
import { cellsChart } from "../charts/cells-chart.js";
import { chartFigure, legend } from "../charts/figure.js";
import { answerMetrics } from "../figures/headline.js";
import type { Run } from "../read/read-run.js";
import type { ComparedBase, System } from "../read/system.js";
import { intervalWords, splitNote } from "./data-note.js";
import { formatChange, formatFigure, formatNumber } from "./format.js";
import { missing, type Section } from "./section.js";
import { table } from "./table.js";

const PASSAGES = [
  ["none", "no passages"],
  ["base", "base retriever"],
  ["tuned", "tuned retriever"],
  ["gold", "gold passages"],
] as const;
const GENERATORS = ["base", "tuned"] as const;

/** The cells as a table: generators down, what stood in the prompt across. */
function grid({ twoByTwo, cells }: ComparedBase, name: string): Content {
  const { cells: about } = twoByTwo;
  const cellOf = (passages: string, generator: string): System | undefined =>
    cells[about.findIndex((cell) => cell.passages === passages && cell.generator === generator)];
  const columns = PASSAGES.filter(([passages]) => about.some((cell) => cell.passages === passages));
  const rows = GENERATORS.filter((generator) => about.some((cell) => cell.generator === generator));
  return table(
    [{ title: "generator" }, ...columns.map(([, title]) => ({ title, number: true }))],
    rows.map((generator) => [
      generator,
      ...columns.map(([passages]) => formatFigure(cellOf(passages, generator)?.figures.get(name))),
    ]),
  );
}

function effectsTable({ twoByTwo, cells }: ComparedBase): Content {
  const labelOf = new Map(twoByTwo.cells.map(({ name }, i) => [name, cells[i]?.label ?? name]));
  const columns = [
    { title: "exchanged" },
    { title: "from" },
    { title: "to" },
    { title: "figure" },
    { title: "change", number: true },
    { title: "p", number: true },
    { title: "better, worse, same", number: true },
  ];
  const rows = twoByTwo.effects.map(({ part, from, to, figure, difference, ci95, p_value, wins, losses, ties }) => [
    part,
    labelOf.get(from) ?? from,
    labelOf.get(to) ?? to,
    figureTitle(figure),
    formatChange({ value: difference, ...(ci95 ? { interval: ci95 } : {}) }),
    formatNumber(p_value),
    `${wins}, ${losses}, ${ties}`,
  ]);
  return table(columns, rows);
}

/** Base and tuned retriever by base and tuned generator, between the bounds of no passage and of the gold ones. */
export function twoByTwoSection({ compared }: Run): Section {
  const section = { id: "two-by-two", title: "Which half helped" };
  if (!compared) {
    const how = html`<code>test-e2e --compare_base true</code> tests base and tuned retriever with base and tuned generator in every combination, and the generators with gold passages and without any.`;
    return { ...section, content: missing("No 2x2.", how) };
  }
  const shown = answerMetrics(compared.cells);
  const charts = shown.map(({ name, title }) =>
    chartFigure(title, cellsChart(compared, name, title), grid(compared, name)),
  );
  const { retriever, generator } = compared.twoByTwo.models;
  const content = html`<p>Every combination of models on the same ${compared.twoByTwo.questions} questions, with ${intervalWords(compared.cells)}. ${splitNote(compared.cells.map(({ splitBy }) => splitBy))} Retriever: ${retriever.base} and ${retriever.tuned}; generator: ${generator.base} and ${generator.tuned}. Gold passages are what a perfect retriever would give, no passages what the generator knows by itself.</p>
${shown.slice(0, 1).map(({ name, title }) => html`<h3>${title}</h3>${grid(compared, name)}`)}
${legend(["base generator", "tuned generator"])}
<div class="charts">${charts}</div>
<h3>One half exchanged, all else equal</h3>
${effectsTable(compared)}`;
  return { ...section, content };
}
