import * as Plot from "@observablehq/plot";
import type { Markup } from "@rag-ft/page";
import { formatDuration } from "../sections/format.js";
import { draw } from "./draw.js";

/** A bar a stage. */
export function timeChart(stages: readonly { name: string; seconds: number }[]): Markup {
  const said = stages.map(({ name, seconds }) => `${name} ${formatDuration(seconds)}`).join("; ");
  const minutes = Math.max(...stages.map(({ seconds }) => seconds)) > 180;
  const unit = minutes ? 60 : 1;
  return draw(`Time of each stage: ${said}.`, {
    height: 60 + 26 * stages.length,
    marginTop: 6,
    marginLeft: 140,
    marginRight: 72,
    x: { label: minutes ? "minutes →" : "seconds →", grid: true, ticks: 5 },
    y: { domain: stages.map(({ name }) => name), label: null },
    marks: [
      Plot.barX(stages, { y: "name", x: ({ seconds }) => seconds / unit, fill: "var(--series-2)" }),
      Plot.text(stages, {
        y: "name",
        x: ({ seconds }) => seconds / unit,
        text: ({ seconds }) => formatDuration(seconds),
        textAnchor: "start",
        dx: 4,
      }),
    ],
  });
}
