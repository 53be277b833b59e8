import * as Plot from "@observablehq/plot";
import type { Markup } from "@rag-ft/page";
import type { Training, TrainingLine } from "../read/training.js";
import { bestEvaluation } from "../read/training.js";
import { draw } from "./draw.js";

const TRAIN = "var(--series-2)";
const EVAL = "var(--series-3)";

/** Points beyond which a line has no dots of its own. */
const MOST_DOTS = 40;

function ends(lines: readonly TrainingLine[], name: string): string {
  const [first, last] = [lines[0], lines.at(-1)];
  return first && last
    ? `from ${first[name]?.toFixed(3)} at step ${first.step} to ${last[name]?.toFixed(3)} at step ${last.step}`
    : "none";
}

/** The loss on the training data, and on the eval split where it was measured. */
export function lossChart({ steps, evaluations }: Training): Markup {
  const measured = evaluations.filter((line) => line.eval_loss !== undefined);
  const evalLoss = measured.length > 0 ? ` Loss on the eval split ${ends(measured, "eval_loss")}.` : "";
  return draw(`Loss on the training data ${ends(steps, "loss")}.${evalLoss}`, {
    height: 230,
    x: { label: "step →" },
    y: { grid: true, label: "↑ loss", zero: true, nice: true },
    marks: [
      Plot.lineY(steps, { x: "step", y: "loss", stroke: TRAIN, strokeWidth: 2 }),
      ...(steps.length <= MOST_DOTS ? [Plot.dot(steps, { x: "step", y: "loss", fill: TRAIN, r: 2 })] : []),
      ...(measured.length > 0
        ? [
            Plot.lineY(measured, { x: "step", y: "eval_loss", stroke: EVAL, strokeDasharray: "5 3", strokeWidth: 2 }),
            Plot.dot(measured, { x: "step", y: "eval_loss", fill: EVAL, symbol: "square", r: 4 }),
          ]
        : []),
    ],
  });
}

/** The figure that chooses the checkpoint, over the steps; the chosen one is circled. */
export function metricChart(training: Training, title: string): Markup {
  const { evaluations, metric } = training;
  const best = bestEvaluation(training);
  const chosen = best ? ` The best is ${best[metric.name]?.toFixed(3)} at step ${best.step}.` : "";
  return draw(`${title} on the eval split ${ends(evaluations, metric.name)}.${chosen}`, {
    height: 230,
    x: { label: "step →" },
    y: { grid: true, label: `↑ ${title}`, nice: true },
    marks: [
      Plot.lineY(evaluations, { x: "step", y: metric.name, stroke: EVAL, strokeWidth: 2 }),
      Plot.dot(evaluations, { x: "step", y: metric.name, fill: EVAL, symbol: "square", r: 4 }),
      ...(best ? [Plot.dot([best], { x: "step", y: metric.name, stroke: "currentColor", strokeWidth: 2, r: 9 })] : []),
    ],
  });
}

/** The learning rate over the steps. */
export function rateChart({ steps }: Training): Markup {
  return draw(`Learning rate ${ends(steps, "lr")}.`, {
    height: 170,
    x: { label: "step →" },
    y: { grid: true, label: "↑ learning rate", tickFormat: ".1~e", ticks: 4, zero: true },
    marginLeft: 62,
    marks: [Plot.lineY(steps, { x: "step", y: "lr", stroke: TRAIN, strokeWidth: 2 })],
  });
}
