import { html } from "@rag-ft/page";
import { histogramChart } from "../charts/distribution-charts.js";
import { chartFigure } from "../charts/figure.js";
import { histogram } from "../figures/distributions.js";
import type { Run } from "../read/read-run.js";
import { missing, type Section } from "./section.js";
import { table } from "./table.js";

/** Figures of single answers that are drawn. */
const SCORES: readonly [name: string, title: string][] = [
  ["rougeL", "ROUGE-L"],
  ["f1", "F1"],
  ["rougeL_passage", "ROUGE-L with the best retrieved passage"],
];

/** How the figures of single answers spread: a mean hides whether some are right or all are half right. */
export function distributionSection({ systems }: Run): Section {
  const charts = SCORES.flatMap(([name, title]) => {
    const own = systems.filter(({ answers }) => answers.some(({ scores }) => scores[name] !== undefined));
    if (own.length === 0) return [];
    const bins = own.flatMap((system) => histogram(system, name));
    const names = own.map(({ label }) => label);
    const first = bins.filter(({ system }) => system === names[0]);
    const rows = first.map(({ from, to }) => [
      `${from}–${to}`,
      ...names.map((label) => bins.find((bin) => bin.system === label && bin.from === from)?.answers),
    ]);
    const columns = [{ title: "score" }, ...names.map((label) => ({ title: label, number: true }))];
    return [chartFigure(title, histogramChart(bins, names, title), table(columns, rows))];
  });
  const content =
    charts.length > 0
      ? html`<div class="charts">${charts}</div>`
      : missing(
          "No scores of single answers.",
          html`They are in <code>test-predictions.jsonl</code>, which <code>test-e2e</code> writes.`,
        );
  return { id: "scores", title: "Scores of single answers", content };
}
