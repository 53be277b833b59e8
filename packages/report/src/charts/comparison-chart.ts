import * as Plot from "@observablehq/plot";
import type { Markup } from "@rag-ft/page";
import type { Metric } from "../figures/headline.js";
import type { System } from "../read/system.js";
import { draw, seriesScales } from "./draw.js";

/** A dot for each system's figure, with its 95 % interval as a line, one band a metric. */
export function comparisonChart(systems: readonly System[], metrics: readonly Metric[]): Markup {
  const names = systems.map(({ label }) => label);
  const points = metrics.flatMap(({ name, title }) =>
    systems.flatMap((system) => {
      const figure = system.figures.get(name);
      if (!figure) return [];
      const [low, high] = figure.interval ?? [figure.value, figure.value];
      return [{ metric: title, system: system.label, value: figure.value, low, high }];
    }),
  );
  const said = points.map(({ metric, system, value }) => `${metric} of ${system} ${value.toFixed(3)}`).join("; ");
  return draw(`Figures of each system. ${said}.`, {
    height: 44 + metrics.length * (14 + 12 * systems.length),
    marginLeft: 112,
    marginTop: 6,
    ...seriesScales(names),
    x: { domain: [0, 1], label: null, grid: true },
    y: { axis: null, domain: names },
    fy: { domain: metrics.map(({ title }) => title), label: null, axis: "left", padding: 0.3 },
    marks: [
      Plot.ruleY(points, { fy: "metric", y: "system", x1: "low", x2: "high", stroke: "system", strokeWidth: 2 }),
      Plot.dot(points, {
        fy: "metric",
        y: "system",
        x: "value",
        fill: "system",
        symbol: "system",
        r: 4,
        title: ({ metric, system, value }) => `${system}: ${metric} ${value.toFixed(3)}`,
      }),
    ],
  });
}
