import { figuresAmong } from "@rag-ft/metrics";
import { html } from "@rag-ft/page";
import { histogramChart } from "../charts/distribution-charts.js";
import { chartFigure } from "../charts/figure.js";
import { histogram } from "../figures/distributions.js";
import type { Run } from "../read/read-run.js";
import { missing, type Section } from "./section.js";
import { table } from "./table.js";

/** How the figures of single answers spread: a mean hides whether some are right or all are half right. */
export function distributionSection({ systems }: Run): Section {
  const scored = new Set(systems.flatMap(({ answers }) => answers.flatMap(({ scores }) => Object.keys(scores))));
  const drawn = figuresAmong(scored).filter(({ spread }) => spread);
  const charts = drawn.flatMap(({ name, title }) => {
    const own = systems.filter(({ answers }) => answers.some(({ scores }) => scores[name] !== undefined));
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
