// The rows of a page in the order of reading:
// 1. pieces that follow each other on a line without a gap are a cell;
// 2. where a strip without text runs down between two blocks of lines, the page has columns: what is above, the left one, the right one;
// 3. cells of a column on one line are a row.
import type { Piece } from "./pdf-pages.js";

export interface Cell {
  text: string;
  x: number;
  y: number;
  end: number;
  size: number;
  mono: boolean;
}

/** A line of a column: its cells from left to right. */
export interface Row {
  cells: Cell[];
  text: string;
  x: number;
  y: number;
  end: number;
  size: number;
  mono: boolean;
}

/** A space is at least this part of the size of the font, a gap between cells at least that. */
const SPACE = 0.15;
const GAP = 1.6;
const SAME_LINE = 0.45;

function cellsOf(pieces: readonly Piece[]): Cell[] {
  const cells: Cell[] = [];
  let sizes = new Map<number, number>();
  let mono = 0;
  for (const piece of pieces) {
    const { text, x, y, width, size } = piece;
    if (text.trim() === "") continue;
    const last = cells.at(-1);
    const close =
      last !== undefined &&
      Math.abs(last.y - y) < Math.max(last.size, size) * SAME_LINE &&
      x - last.end < Math.max(last.size, size) * GAP &&
      x - last.end > -size;
    if (!close) {
      sizes = new Map();
      mono = 0;
      cells.push({ text: "", x, y, end: x, size, mono: false });
    }
    const cell = cells.at(-1) as Cell;
    if (cell.text !== "" && x - cell.end > size * SPACE && !/\s$/.test(cell.text) && !/^\s/.test(text))
      cell.text += " ";
    cell.text += text;
    cell.end = Math.max(cell.end, x + width);
    sizes.set(size, (sizes.get(size) ?? 0) + text.length);
    if (piece.mono) mono += text.length;
    cell.size = [...sizes].reduce((most, entry) => (entry[1] > most[1] ? entry : most))[0];
    cell.mono = mono > cell.text.length * 0.8;
    // The base line is that of the larger part, not of a footnote's sign.
    if (size === cell.size) cell.y = y;
  }
  return cells;
}

const LEAST_LINES = 5;
const LEAST_FILL = 0.55;

/** Where a strip without text runs between two columns: undefined when there is none. */
function gutterOf(cells: readonly Cell[]): number | undefined {
  const left = Math.min(...cells.map(({ x }) => x));
  const right = Math.max(...cells.map(({ end }) => end));
  const width = right - left;
  const narrow = cells.filter(({ x, end }) => end - x < width * 0.6);
  if (width <= 0 || narrow.length < 2 * LEAST_LINES || narrow.length < cells.length * 0.5) return undefined;
  const starts = [...new Set(narrow.map(({ x }) => Math.round(x)))].filter(
    (x) => x > left + width * 0.2 && x < left + width * 0.8,
  );
  let best: { x: number; lines: number } | undefined;
  for (const x of starts.slice(0, 200)) {
    const leftSide = narrow.filter(({ end }) => end <= x - 4);
    const rightSide = narrow.filter((cell) => cell.x >= x - 1);
    if (leftSide.length + rightSide.length < narrow.length * 0.9) continue;
    const fill = (side: readonly Cell[], from: number, to: number): number =>
      side.reduce((sum, cell) => sum + cell.end - cell.x, 0) / Math.max(1, side.length * (to - from));
    const lines = Math.min(leftSide.length, rightSide.length);
    const full = fill(leftSide, left, x - 4) > LEAST_FILL && fill(rightSide, x, right) > LEAST_FILL;
    if (full && lines >= LEAST_LINES && lines > (best?.lines ?? 0)) best = { x, lines };
  }
  return best && best.x - 2;
}

function rowOf(cells: Cell[]): Row {
  const sorted = cells.sort((a, b) => a.x - b.x);
  const main = sorted.reduce((most, cell) => (cell.text.length > most.text.length ? cell : most));
  return {
    cells: sorted,
    text: sorted.map(({ text }) => text.trim()).join("  "),
    x: sorted[0]?.x ?? 0,
    y: main.y,
    end: Math.max(...sorted.map(({ end }) => end)),
    size: main.size,
    mono: sorted.every(({ mono }) => mono),
  };
}

/** Cells on one line, from the top to the bottom. */
function stack(cells: readonly Cell[]): Row[] {
  const sorted = [...cells].sort((a, b) => b.y - a.y || a.x - b.x);
  const rows: Cell[][] = [];
  for (const cell of sorted) {
    const row = rows.at(-1);
    const first = row?.[0];
    if (row && first && Math.abs(first.y - cell.y) < Math.max(first.size, cell.size) * SAME_LINE) row.push(cell);
    else rows.push([cell]);
  }
  return rows.map(rowOf);
}

function ordered(cells: readonly Cell[], depth: number): Row[] {
  const gutter = depth < 3 && cells.length > 0 ? gutterOf(cells) : undefined;
  if (gutter === undefined) return stack(cells);
  const rows: Row[] = [];
  const crossing = cells.filter(({ x, end }) => x < gutter && end > gutter).sort((a, b) => b.y - a.y);
  let rest = cells.filter((cell) => !crossing.includes(cell));
  const columns = (part: readonly Cell[]): void => {
    rows.push(
      ...ordered(
        part.filter(({ x }) => x < gutter),
        depth + 1,
      ),
    );
    rows.push(
      ...ordered(
        part.filter(({ x }) => x >= gutter),
        depth + 1,
      ),
    );
  };
  for (const cell of crossing) {
    columns(rest.filter(({ y }) => y > cell.y));
    rest = rest.filter(({ y }) => y <= cell.y);
    rows.push(...stack([cell]));
  }
  columns(rest);
  return rows;
}

/** Rows of a page in the order of reading. */
export function rowsOf(pieces: readonly Piece[]): Row[] {
  return ordered(cellsOf(pieces), 0);
}
