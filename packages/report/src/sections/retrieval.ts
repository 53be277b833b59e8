import { searchName } from "@rag-ft/core";
import { figuresAmong, isShown } from "@rag-ft/metrics";
import { type Content, html } from "@rag-ft/page";
import { rankChart } from "../charts/distribution-charts.js";
import { chartFigure, legend } from "../charts/figure.js";
import { recallChart } from "../charts/recall-chart.js";
import { rankCounts } from "../figures/distributions.js";
import { recallCurve } from "../figures/recall-curve.js";
import type { Run } from "../read/read-run.js";
import { figuresOf, type System } from "../read/system.js";
import type { Training } from "../read/training.js";
import { dataNote, splitNote } from "./data-note.js";
import { formatFigure } from "./format.js";
import { missing, type Section } from "./section.js";
import { table } from "./table.js";

function curveFigure(title: string, systems: readonly System[]): Content[] {
  const names = systems.map(({ label }) => label);
  const points = systems.flatMap(recallCurve);
  if (points.length === 0) return [];
  const depths = [...new Set(points.map(({ k }) => k))].sort((a, b) => a - b);
  const rows = depths.map((k) => [
    k,
    ...names.map((name) => formatFigure(points.find((point) => point.system === name && point.k === k))),
  ]);
  const columns = [{ title: "k", number: true }, ...names.map((label) => ({ title: label, number: true }))];
  return [chartFigure(title, recallChart(points, names), table(columns, rows))];
}

/** What training measured on its test file: the vectors before and after, BM25, and the tuned vectors with BM25. */
function searchesTable({ test, record }: Training): Content[] {
  if (!test) return [];
  const { base, best, bm25, hybrid, questions } = test;
  // Earlier versions measured neither: the other tables have base and best already.
  if (!bm25 && !hybrid) return [];
  const weight = hybrid?.bm25_weight;
  const searches = [
    { label: "base", figures: base },
    { label: "fine-tuned", figures: best },
    ...(bm25 ? [{ label: "BM25", figures: bm25 }] : []),
    ...(hybrid ? [{ label: `fine-tuned + ${weight === undefined ? "" : `${weight} `}BM25`, figures: hybrid }] : []),
  ];
  const shown = figuresAmong(Object.keys(best)).filter((figure) => isShown(figure, "own"));
  const columns = [{ title: "search" }, ...shown.map(({ heading }) => ({ title: heading, number: true }))];
  const rows = searches.map(({ label, figures }) => [label, ...shown.map(({ name }) => figures[name]?.toFixed(3))]);
  const where = `${record.folder}, ${questions} questions of the test file. ${splitNote([record.split_by])}`;
  return [html`<h3>Vectors, words and both</h3><p>${where}</p>${table(columns, rows)}`];
}

/** What each test's passages were found by, and what other searches find for the same questions. */
function testSearches(systems: readonly System[]): Content[] {
  const tested = systems.flatMap((system) => {
    const { label, searches } = system;
    const used = searches?.used.tuned;
    if (!searches || !used) return [];
    const others = searches.alone.map((search) => ({
      label: `${searchName(search)}, retrieval alone`,
      figures: figuresOf(search.figures),
    }));
    return [{ system, rows: [{ label: `${label}: ${searchName(used)}`, figures: system.figures }, ...others] }];
  });
  // BM25 finds the same in every test of the same questions.
  const rows = [...new Map(tested.flatMap((one) => one.rows).map((row) => [searchKey(row), row])).values()];
  if (rows.length === 0) return [];
  const shown = figuresAmong(rows.flatMap(({ figures }) => [...figures.keys()])).filter(
    (figure) => figure.part === "retriever" && isShown(figure, "own"),
  );
  const columns = [{ title: "search" }, ...shown.map(({ heading }) => ({ title: heading, number: true }))];
  const cells = rows.map(({ label, figures }) => [label, ...shown.map(({ name }) => formatFigure(figures.get(name)))]);
  const own = tested.map(({ system }) => system);
  return [
    html`<h3>Searches of the tests</h3>${dataNote("The same questions as each system searched for them, and by words and by both.", own)}
${table(columns, cells)}`,
  ];
}

const searchKey = ({ label, figures }: { label: string; figures: System["figures"] }): string =>
  JSON.stringify([label, [...figures].map(([name, { value }]) => [name, value])]);

/** Recall over the number of passages retrieved, and where the gold passages stood. */
export function retrievalSection({ systems, retrievers, trainings }: Run): Section {
  const names = systems.map(({ label }) => label);
  const charts = curveFigure("Recall over the number of passages retrieved", systems);
  const ranked = systems.filter(({ answers }) => answers.length > 0);
  if (ranked.length > 0) {
    const counts = rankCounts(ranked);
    const ranks = [...new Set(counts.map(({ rank }) => rank))];
    const own = ranked.map(({ label }) => label);
    const rows = ranks.map((rank) => [
      rank,
      ...own.map((name) => counts.find((count) => count.system === name && count.rank === rank)?.questions),
    ]);
    charts.push(
      chartFigure(
        "Where the gold passage stood",
        rankChart(counts, own),
        table([{ title: "rank" }, ...own.map((title) => ({ title, number: true }))], rows),
        "With several gold passages, the last one counts.",
      ),
    );
  }
  const alone = curveFigure("Recall of retrievers alone", retrievers);
  const searches = trainings.flatMap(searchesTable);
  const content = [
    charts.length > 0 ? html`${legend(names)}<div class="charts">${charts}</div>` : "",
    alone.length > 0
      ? html`<h3>Retrievers alone</h3>${dataNote("", retrievers)}${legend(retrievers.map(({ label }) => label))}<div class="charts">${alone}</div>`
      : "",
    ...testSearches(systems),
    ...searches,
    charts.length + alone.length + searches.length === 0
      ? missing("No retrieval was tested.", html`Run <code>test-e2e</code> or <code>test-retriever</code>.`)
      : "",
  ];
  return { id: "retrieval", title: "Retrieval", content };
}
