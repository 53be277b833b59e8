import type { PhrasingContent, Table, TableCell, TableRow } from "mdast";
import type { RstNode } from "./parse-rst.js";

type ToLine = (nodes: readonly RstNode[]) => PhrasingContent[];

const cell = (children: PhrasingContent[]): TableCell => ({ type: "tableCell", children });
const table = (rows: TableCell[][]): Table => ({
  type: "table",
  children: rows.map((children): TableRow => ({ type: "tableRow", children })),
});

/** A grid or simple table: cells that reach over others leave those empty. */
export function drawnTable({ children: rows }: RstNode, toLine: ToLine): Table {
  /** Of each column, in how many of the next rows it is taken. */
  const taken: number[] = [];
  return table(
    rows.map((row) => {
      const made: TableCell[] = [];
      const skip = (): void => {
        while ((taken[made.length] ?? 0) > 0) {
          taken[made.length] = (taken[made.length] ?? 0) - 1;
          made.push(cell([]));
        }
      };
      for (const { data, children } of row.children) {
        skip();
        for (let i = 0; i < Math.min(100, data.colSpan ?? 1); i++) {
          taken[made.length] = Math.min(1000, data.rowSpan ?? 1) - 1;
          made.push(cell(i === 0 ? toLine(children) : []));
        }
      }
      skip();
      return made;
    }),
  );
}

/** `list-table`: a list of rows, each a list of cells. */
export function listTable({ children }: RstNode, toLine: ToLine): Table | undefined {
  const rows = children.find(({ type }) => type === "BulletList")?.children ?? [];
  const made = rows.map((row) =>
    (row.children.find(({ type }) => type === "BulletList")?.children ?? []).map(({ children: content }) =>
      cell(toLine(content)),
    ),
  );
  return made.length > 0 ? table(made) : undefined;
}

/** Fields of a line of comma-separated values, or of several when a quoted one goes on. */
function csvRows(text: string, delimiter: string): string[][] {
  const rows: string[][] = [[]];
  let field = "";
  let quoted = false;
  const end = (): void => {
    rows.at(-1)?.push(field.trim());
    field = "";
  };
  for (let i = 0; i < text.length; i++) {
    const letter = text[i] as string;
    if (quoted && letter === '"' && text[i + 1] === '"') {
      field += letter;
      i++;
    } else if (letter === '"' && (quoted || field.trim() === "")) quoted = !quoted;
    else if (letter === delimiter && !quoted) end();
    else if (letter === "\n" && !quoted) {
      end();
      rows.push([]);
    } else field += letter;
  }
  end();
  return rows.filter((row) => row.some((value) => value !== ""));
}

/** `csv-table`; marks within fields stay as they are. */
export function csvTable(body: string, header: string | undefined, delimiter: string): Table | undefined {
  const rows = [...(header ? csvRows(header, delimiter) : []), ...csvRows(body, delimiter)];
  const value = (field: string): string => field.replace(/``|(?<!\w)[*`]+|[*`]+_{0,2}(?!\w)/g, "");
  return rows.length > 0
    ? table(rows.map((row) => row.map((field) => cell([{ type: "text", value: value(field) }]))))
    : undefined;
}
