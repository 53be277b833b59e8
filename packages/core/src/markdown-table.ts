/** A table of Markdown, its columns aligned as the formatter wants them; the first row is its head. Cells are written as they are: escape bars. */
export function markdownTable(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(3, ...rows.map((row) => row[i]?.length ?? 0)));
  const lines = rows.map((row) => `| ${widths.map((width, i) => (row[i] ?? "").padEnd(width)).join(" | ")} |`);
  return lines.toSpliced(1, 0, `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`);
}
