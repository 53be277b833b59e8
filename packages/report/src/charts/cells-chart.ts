import * as Plot from "@observablehq/plot";
import type { Markup } from "@rag-ft/page";
import type { ComparedBase } from "../read/system.js";
import { draw, seriesScales } from "./draw.js";

const GENERATORS = ["base generator", "tuned generator"];
const PASSAGES = { none: "no passages", base: "base retriever", tuned: "tuned retriever", gold: "gold passages" };

/** One figure of every cell, with its 95 % interval: a band for what stood in the prompt, a colour and shape a generator. */
export function cellsChart({ twoByTwo, cells }: ComparedBase, name: string, title: string): Markup {
  const points = twoByTwo.cells.flatMap(({ passages, generator }, i) => {
    const figure = cells[i]?.figures.get(name);
    if (!figure) return [];
    const [low, high] = figure.interval ?? [figure.value, figure.value];
    return [{ passages: PASSAGES[passages], generator: `${generator} generator`, value: figure.value, low, high }];
  });
  const bands = Object.values(PASSAGES).filter((passages) => points.some((point) => point.passages === passages));
  const said = points
    .map(({ passages, generator, value }) => `${passages}, ${generator}: ${value.toFixed(3)}`)
    .join("; ");
  return draw(`${title} of every combination. ${said}.`, {
    height: 54 + bands.length * 40,
    marginLeft: 122,
    marginTop: 8,
    ...seriesScales(GENERATORS),
    x: {
      domain: [0, Math.min(1, Math.max(0.1, ...points.map(({ high }) => high * 1.1)))],
      label: `${title} →`,
      grid: true,
      ticks: 5,
    },
    y: { axis: null, domain: GENERATORS },
    fy: { domain: bands, label: null, axis: "left", padding: 0.3 },
    marks: [
      Plot.ruleY(points, {
        fy: "passages",
        y: "generator",
        x1: "low",
        x2: "high",
        stroke: "generator",
        strokeWidth: 2,
      }),
      Plot.dot(points, {
        fy: "passages",
        y: "generator",
        x: "value",
        fill: "generator",
        symbol: "generator",
        r: 4,
        title: ({ passages, generator, value }) => `${passages}, ${generator}: ${title} ${value.toFixed(3)}`,
      }),
    ],
  });
}
