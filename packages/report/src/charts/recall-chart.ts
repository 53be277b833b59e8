import * as Plot from "@observablehq/plot";
import type { Markup } from "@rag-ft/page";
import type { RecallPoint } from "../figures/recall-curve.js";
import { draw, seriesScales } from "./draw.js";

/** recall@k over k, a line a system; 95 % intervals as thin lines. */
export function recallChart(points: readonly RecallPoint[], names: readonly string[]): Markup {
  const depths = [...new Set(points.map(({ k }) => k))].sort((a, b) => a - b);
  const intervals = points.flatMap(({ interval, ...point }) =>
    interval ? [{ ...point, low: interval[0], high: interval[1] }] : [],
  );
  const said = points.map(({ system, k, value }) => `${system} at ${k}: ${value.toFixed(3)}`).join("; ");
  const deep = (depths.at(-1) ?? 1) > 20;
  return draw(`recall at k. ${said}.`, {
    height: 260,
    ...seriesScales(names),
    x: deep
      ? { type: "log", label: "k →" }
      : { domain: [0.8, (depths.at(-1) ?? 1) + 0.2], ticks: depths, tickFormat: "d", label: "k →" },
    y: { domain: [0, 1], grid: true, label: "↑ recall@k" },
    marks: [
      Plot.ruleX(intervals, { x: "k", y1: "low", y2: "high", stroke: "system", strokeOpacity: 0.5, strokeWidth: 2 }),
      Plot.lineY(points, { x: "k", y: "value", stroke: "system", strokeWidth: 2 }),
      Plot.dot(points, {
        x: "k",
        y: "value",
        fill: "system",
        symbol: "system",
        r: 4,
        title: ({ system, k, value }) => `${system}: recall@${k} ${value.toFixed(3)}`,
      }),
    ],
  });
}
