import { figureTitle } from "@rag-ft/metrics";
import { type Content, html } from "@rag-ft/page";
import { chartFigure } from "../charts/figure.js";
import { lossChart, metricChart, rateChart } from "../charts/training-charts.js";
import type { Run } from "../read/read-run.js";
import { bestEvaluation, type Training, type TrainingLine } from "../read/training.js";
import { splitNote } from "./data-note.js";
import { formatDuration, formatNumber } from "./format.js";
import { missing, type Section } from "./section.js";
import { table } from "./table.js";

function linesTable(lines: readonly Record<string, number>[], names: readonly string[]): Content {
  return table(
    names.map((name) => ({ title: figureTitle(name), number: true })),
    lines.map((line) => names.map((name) => (line[name] === undefined ? "" : formatNumber(line[name])))),
  );
}

/** Base and best on the eval split, of a training that gives no verdict itself. */
function change(best: TrainingLine | undefined, base: TrainingLine | undefined, metric: string): string {
  if (!best || !base) return "";
  const title = figureTitle(metric);
  const [from, to] = [base[metric]?.toFixed(3), best[metric]?.toFixed(3)];
  return best.step === 0
    ? `No checkpoint beat the base (${title} ${from}): the base was kept.`
    : `On the eval split, ${title} went from ${from} to ${to}, best at step ${best.step}.`;
}

/** What the eval questions made of a reranker beside the search. */
function reordering({ reranker }: Training): string {
  if (!reranker) return "";
  const { rerank_weight: weight, rerank_top_n: first, first_stage } = reranker;
  return weight === 0
    ? `The search alone (${first_stage}) is kept: the reranker counts nothing.`
    : `The first ${first} passages of ${first_stage} are reordered; its score counts ${weight}, the search's ${formatNumber(1 - weight)}.`;
}

function outcome(training: Training): Content {
  const { evaluations, metric, steps, choice } = training;
  const base = evaluations.find(({ step }) => step === 0);
  const best = bestEvaluation(training);
  const tokens = steps.map((line) => line.tokens_per_s ?? 0);
  const memory = Math.max(0, ...steps.map((line) => line.peak_rss_mb ?? 0));
  const facts = [
    choice?.verdict ?? change(best, base, metric.name),
    reordering(training),
    steps.length > 0
      ? `${Math.round(tokens.reduce((a, b) => a + b, 0) / tokens.length)} tokens a second, at most ${Math.round(memory)} MB of memory, ${formatDuration(training.record.seconds)}.`
      : "",
  ];
  return html`<p>${[...facts.filter((fact) => fact !== ""), splitNote([training.record.split_by])].join(" ")}</p>`;
}

function one(training: Training): Content {
  const { record, steps, evaluations, metric } = training;
  const base = record.settings.model_path ?? record.settings.model_name_or_path;
  const heading = html`<h3>${record.command} <span class="muted">from ${String(base ?? "?")}</span></h3>`;
  if (steps.length === 0 && evaluations.length === 0) {
    return html`${heading}${missing("No log.", `train.jsonl and eval.jsonl are not in ${record.folder}.`)}`;
  }
  const title = figureTitle(metric.name);
  const measured = evaluations.filter((line) => line[metric.name] !== undefined);
  const legendOfLoss = measured.some((line) => line.eval_loss !== undefined)
    ? "Solid: training data. Dashed with squares: eval split."
    : undefined;
  const charts = [
    ...(steps.length > 0
      ? [chartFigure("Loss", lossChart(training), linesTable(steps, ["step", "loss", "lr", "grad_norm"]), legendOfLoss)]
      : []),
    ...(measured.length > 0 && metric.name !== "eval_loss"
      ? [
          chartFigure(
            `${title} on the eval split`,
            metricChart(training, title),
            linesTable(evaluations, Object.keys(evaluations[0] ?? {})),
            "Circled: the checkpoint that was kept.",
          ),
        ]
      : []),
    ...(steps.some(({ lr }) => lr !== undefined)
      ? [chartFigure("Learning rate", rateChart(training), linesTable(steps, ["step", "lr"]))]
      : []),
  ];
  return html`${heading}${outcome(training)}<div class="charts">${charts}</div>`;
}

/** The curves of each training stage. */
export function trainingSection({ trainings }: Run): Section {
  const content =
    trainings.length > 0
      ? trainings.map(one)
      : missing(
          "No training is in this run.",
          html`Run <code>train-retriever</code>, <code>train-reranker</code> or <code>train-generator</code>.`,
        );
  return { id: "training", title: "Training", content };
}
