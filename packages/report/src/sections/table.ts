import { type Content, html, type Markup } from "@rag-ft/page";

export interface Column {
  title: string;
  /** Numbers stand to the right. */
  number?: boolean;
}

/** An HTML table that scrolls where it is wider than its place; the first cell of a row is its heading. */
export function table(columns: readonly Column[], rows: readonly (readonly Content[])[]): Markup {
  const className = (i: number): string => (columns[i]?.number ? "number" : "");
  const head = columns.map(({ title }, i) => html`<th scope="col" class="${className(i)}">${title}</th>`);
  const body = rows.map((row) => {
    const cells = row.map((cell, i) =>
      i === 0
        ? html`<th scope="row" class="${className(i)}">${cell}</th>`
        : html`<td class="${className(i)}">${cell}</td>`,
    );
    return html`<tr>${cells}</tr>`;
  });
  const name = `Table: ${columns.map(({ title }) => title).join(", ")}`;
  return html`<div class="scroll" role="group" aria-label="${name}" tabindex="0"><table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></div>`;
}
