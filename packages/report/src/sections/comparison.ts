import { type Content, html } from "@rag-ft/page";
import { comparisonChart } from "../charts/comparison-chart.js";
import { chartFigure, legend } from "../charts/figure.js";
import { headlineMetrics, isDrawn, type Metric } from "../figures/headline.js";
import type { Run } from "../read/read-run.js";
import type { System } from "../read/system.js";
import { dataNote } from "./data-note.js";
import { figuresTable } from "./figures-table.js";
import { formatFigure, formatNumber } from "./format.js";
import { missing, type Section } from "./section.js";
import { table } from "./table.js";

function allFigures(systems: readonly System[]): Content {
  const names = [...new Set(systems.flatMap(({ figures }) => [...figures.keys()]))];
  return table(
    [{ title: "name in score.json" }, ...systems.map(({ label }) => ({ title: label, number: true }))],
    names.map((name) => [
      html`<code>${name}</code>`,
      ...systems.map(({ figures }) => {
        const figure = figures.get(name);
        return figure?.interval ? formatFigure(figure) : figure ? formatNumber(figure.value) : "–";
      }),
    ]),
  );
}

/** Number of questions behind a system's figures. */
function questionCount({ figures, answers }: System): number {
  return figures.get("num_questions")?.value ?? answers.length;
}

function remarks(run: Run, metrics: readonly Metric[]): Content[] {
  const { systems, base, tuned } = run;
  const lines: Content[] = [];
  if (!systems.some(({ figures }) => [...figures.values()].some(({ interval }) => interval))) {
    lines.push(
      missing(
        "No intervals.",
        html`These scores were written without 95 % intervals: run <code>test-e2e</code> again.`,
      ),
    );
  }
  if (!metrics.some(({ part }) => part === "judge")) {
    lines.push(
      missing(
        "No judge.",
        html`Whether an answer is right is not known; ROUGE-L and F1 only compare words. <code>test-e2e --gen_gpt4eval true</code> has a model judge each answer, <code>rag-ft review</code> lets you do it.`,
      ),
    );
  }
  if (!base || !tuned) {
    lines.push(
      missing(
        "Nothing to compare with.",
        html`Run <code>test-e2e</code> on the base models too, with an <code>output_dir</code> in the same run.`,
      ),
    );
  } else if (questionCount(base) !== questionCount(tuned)) {
    lines.push(
      missing(
        "Different tests.",
        `${base.label} was asked ${questionCount(base)} questions, ${tuned.label} ${questionCount(tuned)}.`,
      ),
    );
  }
  return lines;
}

/** Every system's figures, with intervals and the change from base to fine-tuned. */
export function comparisonSection(run: Run): Section {
  const { systems } = run;
  const title = systems.length > 1 ? "Systems compared" : "Figures";
  if (systems.length === 0) {
    const how = html`Run <code>test-e2e</code> with its <code>output_dir</code> in this run's folder.`;
    return { id: "figures", title, content: missing("No test has finished here.", how) };
  }
  const metrics = headlineMetrics(systems);
  const drawn = metrics.filter(isDrawn);
  const chart = comparisonChart(systems, drawn);
  const counts = [...new Set(systems.map(questionCount))].join(" and ");
  const content = html`${dataNote(`On ${counts} held-out questions.`, systems)}
<div class="beside">
${figuresTable(run, metrics)}
<div>${legend(systems.map(({ label }) => label))}
${chartFigure("Shares and overlaps, 0 to 1", chart, figuresTable(run, drawn))}</div>
</div>
${remarks(run, metrics)}
<details><summary>All figures</summary>${allFigures(systems)}</details>`;
  return { id: "figures", title, content };
}
