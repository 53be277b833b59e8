/** A line of a text: offsets without the newline, and the text itself. */
export interface Line {
  start: number;
  end: number;
  text: string;
}

/** Lines of `text` between two offsets. */
export function linesOf(text: string, from = 0, to = text.length): Line[] {
  const lines: Line[] = [];
  let start = from;
  while (start < to) {
    const newline = text.indexOf("\n", start);
    const end = newline < 0 || newline > to ? to : newline;
    lines.push({ start, end, text: text.slice(start, end) });
    start = end + 1;
  }
  return lines;
}

/** Number of blanks at a line's start. */
export function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}
