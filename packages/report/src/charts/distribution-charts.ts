import * as Plot from "@observablehq/plot";
import type { Markup } from "@rag-ft/page";
import { draw, seriesScales } from "./draw.js";

/** How many answers of each system fall into each tenth of a score in [0, 1]. */
export function histogramChart(
  bins: readonly { system: string; from: number; to: number; answers: number }[],
  names: readonly string[],
  title: string,
): Markup {
  const said = names.map((name) => {
    const own = bins.filter(({ system }) => system === name);
    return `${name}: ${own.map(({ answers }) => answers).join(", ")}`;
  });
  return draw(`Answers in each tenth of ${title}, from 0 to 1. ${said.join("; ")}.`, {
    height: 70 + 90 * names.length,
    marginRight: 24,
    ...seriesScales(names),
    x: { domain: [0, 1], label: `${title} →` },
    y: { grid: true, label: "↑ answers", ticks: 3, nice: true },
    fy: { domain: names as string[], axis: null, padding: 0.2 },
    marks: [
      Plot.rectY(bins, {
        fy: "system",
        x1: "from",
        x2: "to",
        y: "answers",
        fill: "system",
        insetLeft: 1,
        insetRight: 1,
        title: ({ system, from, to, answers }) => `${system}: ${answers} answers from ${from} to ${to}`,
      }),
      Plot.text(names, {
        fy: (name: string) => name,
        text: (name: string) => name,
        frameAnchor: "top-right",
        dy: -2,
        lineAnchor: "bottom",
      }),
      Plot.ruleY([0]),
    ],
  });
}

/** How many questions have their last gold passage at each rank. */
export function rankChart(
  counts: readonly { system: string; rank: string; questions: number }[],
  names: readonly string[],
): Markup {
  const ranks = [...new Set(counts.map(({ rank }) => rank))];
  const said = counts.map(({ system, rank, questions }) => `${system}, ${rank}: ${questions}`).join("; ");
  return draw(`Questions by the rank of their gold passage. ${said}.`, {
    height: 260,
    ...seriesScales(names),
    fx: { domain: ranks, label: "rank of the gold passage →", labelOffset: 40 },
    x: { axis: null, domain: names as string[] },
    y: { grid: true, label: "↑ questions", nice: true },
    marks: [
      Plot.barY(counts, {
        fx: "rank",
        x: "system",
        y: "questions",
        fill: "system",
        title: ({ system, rank, questions }) => `${system}: ${questions} questions, rank ${rank}`,
      }),
      Plot.ruleY([0]),
    ],
  });
}
