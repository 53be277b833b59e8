import { readFile } from "node:fs/promises";
import { isShown } from "@rag-ft/metrics";
import { type Content, html, readPageScript, readTheme, renderPage } from "@rag-ft/page";
import { changeOf } from "./figures/change.js";
import { answerMetrics, headlineMetrics } from "./figures/headline.js";
import { verdictOf } from "./figures/verdict.js";
import { predictionData } from "./prediction-data.js";
import type { Run } from "./read/read-run.js";
import { comparisonSection } from "./sections/comparison.js";
import { costSection } from "./sections/cost.js";
import { distributionSection } from "./sections/distributions.js";
import { formatChange, formatFigure } from "./sections/format.js";
import { groundingSection } from "./sections/grounding.js";
import { peopleSection } from "./sections/people.js";
import { predictionsSection } from "./sections/predictions.js";
import { provenanceSection } from "./sections/provenance.js";
import { questionKindsSection } from "./sections/question-kinds.js";
import { retrievalSection } from "./sections/retrieval.js";
import { renderSection } from "./sections/section.js";
import { trainingSection } from "./sections/training.js";
import { twoByTwoSection } from "./sections/two-by-two.js";

const readAsset = (name: string): Promise<string> => readFile(new URL(`../assets/${name}`, import.meta.url), "utf8");

/** The figures at the top, those that the run has. */
function cards({ base, tuned }: Run): Content {
  if (!tuned) return "";
  const retrieval = headlineMetrics([tuned]).filter((metric) => metric.part === "retriever" && isShown(metric, "lead"));
  const shown = [...retrieval, ...answerMetrics([tuned])];
  return html`<ul class="cards">${shown.map(
    ({ name, title }) => html`<li><span class="card-title">${title}</span>
<span class="card-value">${formatFigure(tuned.figures.get(name))}</span>
<span class="muted">${base ? html`${formatChange(changeOf(base, tuned, name))} against ${base.label}` : ""}</span></li>`,
  )}</ul>`;
}

/** What the run says, before any figure. */
function verdictBox(run: Run): Content {
  const found = verdictOf(run);
  if (!found) return "";
  const { verdict, best, next } = found;
  return html`<section class="verdict" aria-labelledby="verdict">
<h2 id="verdict">Verdict</h2>
<p>${verdict}</p>
${best === undefined ? "" : html`<p><strong>Best system:</strong> ${best}</p>`}
${next.length > 0 ? html`<p><strong>What to do next:</strong></p><ol>${next.map((step) => html`<li>${step}</li>`)}</ol>` : ""}
</section>`;
}

/** The report as one HTML document that loads nothing. */
export async function renderReport(run: Run, now: Date = new Date()): Promise<string> {
  const { title, records, systems, base, tuned } = run;
  const [theme, style, pageScript, script] = await Promise.all([
    readTheme(),
    readAsset("report.css"),
    readPageScript(),
    readAsset("predictions.js"),
  ]);
  const cells = run.compared?.cells ?? [];
  const others = cells.filter(({ folder }) => !systems.some((system) => system.folder === folder));
  const asked = [...systems, ...others].filter(({ answers }) => answers.length > 0);
  const shown = tuned && asked.includes(tuned) ? tuned : asked.at(-1);
  const predictions = shown && predictionData(asked, base && asked.includes(base) ? base : undefined, shown);
  const sections = [
    comparisonSection(run),
    ...(tuned ? [twoByTwoSection(run)] : []),
    groundingSection(run),
    questionKindsSection(run),
    retrievalSection(run),
    trainingSection(run),
    distributionSection(run),
    peopleSection(run),
    predictionsSection(predictions),
    costSection(run),
    provenanceSection(run),
  ].filter((section) => section !== undefined);
  const finished = records.map(({ started_at, seconds }) => new Date(started_at).getTime() + seconds * 1000);
  const day = (time: number): string => new Date(time).toISOString().slice(0, 16).replace("T", " ");
  const body = html`<header>
<h1>${title}</h1>
<p class="muted">${records.length} ${records.length === 1 ? "stage" : "stages"}, the last finished ${day(Math.max(...finished))} UTC; report made ${day(now.getTime())} UTC.</p>
${verdictBox(run)}
${cards(run)}
<nav class="contents" aria-label="Sections">${sections.map((section) => html`<a href="#${section.id}">${section.title}</a> `)}</nav>
</header>
<main>
${sections.map(renderSection)}
</main>`;
  return renderPage({
    title: `${title} – rag-ft`,
    styles: [theme, style],
    body,
    scripts: predictions ? [pageScript, script] : [],
    data: predictions,
  });
}
