import type { LeaveOut } from "../reader.js";
import type { Row } from "./page-rows.js";

export interface PageRows {
  number: number;
  rows: Row[];
}

/** Rows at the top and at the bottom of a page that may frame it. */
const EDGE = 2;
const NUMBER = /^(?:(?:page|seite)\s+)?[-–—|\s]*(?:\d{1,4}|[ivxlc]{1,7})[-–—|\s]*(?:(?:of|von|\/)\s*\d{1,4})?$/i;
/** A row with dots that lead to a number. */
const CONTENTS = /(?:\.[ \u00a0]?){4,}\s*(?:\d{1,4}|[ivxlc]{1,7})$/;

const pattern = ({ text, y }: Row): string =>
  `${text.replace(/\d+|\b[ivxlc]+\b/g, "#").replace(/\s+/g, " ")}@${Math.round(y / 6)}`;

function edgesOf(rows: readonly Row[]): Set<Row> {
  const byHeight = [...rows].sort((a, b) => b.y - a.y);
  return new Set([...byHeight.slice(0, EDGE), ...byHeight.slice(-EDGE)]);
}

/** Numbers at the ends of a row, less that of the page: the same on all pages when they number the pages. */
function offsetsOf({ text }: Row, page: number): number[] {
  return [/^(\d{1,4})\s/.exec(text), /\s(\d{1,4})$/.exec(text)].flatMap((match) =>
    match ? [Number(match[1]) - page] : [],
  );
}

const LEAST_PAGES = 3;

/** Takes numbers of pages, what stands at the same place of several pages, and tables of contents off the pages. */
export function withoutFrames(pages: readonly PageRows[], leaveOut: LeaveOut): void {
  const seen = new Map<string, number>();
  const edges = pages.map(({ rows }) => edgesOf(rows));
  for (const rows of edges) for (const key of new Set([...rows].map(pattern))) seen.set(key, (seen.get(key) ?? 0) + 1);
  const offsets = new Map<number, number>();
  pages.forEach(({ number }, i) => {
    const ofPage = [...(edges[i] ?? [])].flatMap((row) => offsetsOf(row, number));
    for (const offset of new Set(ofPage)) offsets.set(offset, (offsets.get(offset) ?? 0) + 1);
  });
  const [offset, times] = [...offsets].reduce((most, entry) => (entry[1] > most[1] ? entry : most), [0, 0]);
  const isNumbered = (row: Row, page: number): boolean => times >= LEAST_PAGES && offsetsOf(row, page).includes(offset);
  pages.forEach((page, i) => {
    const edge = edges[i] ?? new Set<Row>();
    page.rows = page.rows.filter((row) => {
      const kind =
        edge.has(row) && NUMBER.test(row.text)
          ? "page numbers"
          : CONTENTS.test(row.text)
            ? "lines of a table of contents"
            : edge.has(row) && ((seen.get(pattern(row)) ?? 0) >= LEAST_PAGES || isNumbered(row, page.number))
              ? "running headers and footers"
              : undefined;
      if (kind) leaveOut(kind, row.text);
      return kind === undefined;
    });
  });
}
