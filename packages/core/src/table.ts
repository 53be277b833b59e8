import stringWidth from "string-width";

export interface TableColumn {
  /** Key of the row's cell. */
  key: string;
  /** Heading; the key when absent. */
  title?: string;
  /** Decimal places of numbers; whole numbers without and others with 3 when absent. */
  digits?: number;
}

export type TableRow = Readonly<Record<string, string | number | undefined>>;

function cellText(value: string | number | undefined, digits: number | undefined): string {
  if (value === undefined) return "";
  if (typeof value === "string") return value.replace(/\s+/g, " ").trim();
  if (!Number.isFinite(value)) return "-";
  return digits === undefined && Number.isInteger(value) ? String(value) : value.toFixed(digits ?? 3);
}

/** A change with its sign and three decimal places: `+0.014`, `-0.003`; `-` alone where it is not known. */
export function signed(change: number): string {
  if (!Number.isFinite(change)) return "-";
  return `${change < 0 ? "-" : "+"}${Math.abs(change).toFixed(3)}`;
}

/** A text table for terminals and logs: headings, a rule, one line a row; numbers to the right, text to the left. */
export function formatTable(rows: readonly TableRow[], columns: readonly (string | TableColumn)[]): string {
  const shown = columns.map((entry) => {
    const column: TableColumn = typeof entry === "string" ? { key: entry } : entry;
    const title = column.title ?? column.key;
    const cells = rows.map((row) => cellText(row[column.key], column.digits));
    const values = rows.map((row) => row[column.key]).filter((value) => value !== undefined);
    return {
      title,
      cells,
      right: values.length > 0 && values.every((value) => typeof value === "number"),
      width: Math.max(stringWidth(title), ...cells.map((cell) => stringWidth(cell))),
    };
  });
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, i) => {
        const column = shown[i];
        // In columns of the terminal: a Chinese character takes two, a combining accent none.
        const padding = " ".repeat(Math.max(0, (column?.width ?? 0) - stringWidth(text)));
        return column?.right ? padding + text : text + padding;
      })
      .join("  ")
      .trimEnd();
  return [
    line(shown.map((column) => column.title)),
    shown.map((column) => "-".repeat(column.width)).join("  "),
    ...rows.map((_, r) => line(shown.map((column) => column.cells[r] ?? ""))),
  ].join("\n");
}
