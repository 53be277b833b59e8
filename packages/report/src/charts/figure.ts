import { type Content, html, type Markup } from "@rag-ft/page";
import { SERIES_COLORS, SERIES_SYMBOLS } from "./draw.js";

/** Outlines of the symbols in a box of 12 by 12. */
const OUTLINES: Readonly<Record<string, string>> = {
  circle: "M6,2a4,4 0 1,0 0.01,0z",
  square: "M2.5,2.5h7v7h-7z",
  triangle: "M6,1.5l4.5,8h-9z",
  diamond: "M6,1l3.5,5l-3.5,5l-3.5,-5z",
  star: "M6,1l1.4,3.2l3.5,0.3l-2.7,2.3l0.8,3.4l-3,-1.8l-3,1.8l0.8,-3.4l-2.7,-2.3l3.5,-0.3z",
};

/** Names with the colour and shape that charts draw them in. */
export function legend(names: readonly string[]): Markup {
  const items = names.map((name, i) => {
    const outline = OUTLINES[SERIES_SYMBOLS[i % SERIES_SYMBOLS.length] as string];
    const color = SERIES_COLORS[i % SERIES_COLORS.length];
    return html`<li><svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true"><path d="${outline}" fill="${color}"/></svg> ${name}</li>`;
  });
  return html`<ul class="legend">${items}</ul>`;
}

/** A chart with its heading, and its numbers for those who cannot see it or want them exactly. */
export function chartFigure(title: string, chart: Markup, table: Content, note?: Content): Markup {
  return html`<figure>
<figcaption>${title}</figcaption>
${chart}
${note ? html`<p class="muted note">${note}</p>` : ""}
<details><summary>Numbers</summary>${table}</details>
</figure>`;
}
