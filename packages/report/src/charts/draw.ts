import * as Plot from "@observablehq/plot";
import { type Markup, markup } from "@rag-ft/page";
import { parseHTML } from "linkedom";

/** Width of every chart in its own units, near that of its place on the narrowest screen, so that its text stays readable there. */
export const CHART_WIDTH = 420;

/** Colours of systems, by their place in the run; the theme gives them for light and dark. */
export const SERIES_COLORS: readonly string[] = [1, 2, 3, 4, 5].map((i) => `var(--series-${i})`);
/** Shapes of the same systems: who cannot tell the colours apart can tell these. */
export const SERIES_SYMBOLS: readonly string[] = ["circle", "square", "triangle", "diamond", "star"];

interface Drawn {
  setAttribute(name: string, value: string): void;
  removeAttribute(name: string): void;
}

/** Draws a chart as SVG, at the time the report is made: the page needs no script for it. */
export function draw(label: string, options: Plot.PlotOptions): Markup {
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const svg = Plot.plot({
    document: document as unknown as NonNullable<Plot.PlotOptions["document"]>,
    width: CHART_WIDTH,
    marginTop: 26,
    marginLeft: 52,
    marginRight: 18,
    // The axis' name stands below its numbers, never on them.
    marginBottom: 44,
    className: "chart",
    ...options,
    ariaLabel: label,
    style: { fontSize: "13px", background: "transparent", overflow: "visible" },
  }) as unknown as Drawn & { querySelectorAll(selector: string): Iterable<Drawn>; outerHTML: string };
  svg.setAttribute("role", "img");
  // The whole has a name; of its parts, which have no role, none may have one.
  for (const part of svg.querySelectorAll("[aria-label]")) part.removeAttribute("aria-label");
  return markup(svg.outerHTML);
}

/** A colour scale and symbol scale over names, in their order. */
export function seriesScales(names: readonly string[]): Pick<Plot.PlotOptions, "color" | "symbol"> {
  const cycle = (values: readonly string[]): string[] => names.map((_, i) => values[i % values.length] as string);
  return {
    color: { domain: names as string[], range: cycle(SERIES_COLORS) },
    symbol: { domain: names as string[], range: cycle(SERIES_SYMBOLS) },
  };
}
