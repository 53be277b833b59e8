import type { TableColumn, TableRow } from "@rag-ft/core";
import { figuresAmong, isShown } from "@rag-ft/metrics";
import type { Figures } from "@rag-ft/train";

/** Names with the split before them, as the reference's: `eval_retr/document_recall/recall4`. */
export function withSplit(split: string, figures: Figures): Figures {
  return Object.fromEntries(Object.entries(figures).map(([name, value]) => [`${split}_retr/${name}`, value]));
}

/** The split before a figure's name. */
export const SPLIT = /^\w+_retr\//;

/** Names without a split before them. */
export function withoutSplit(figures: Figures): Figures {
  return Object.fromEntries(Object.entries(figures).map(([name, value]) => [name.replace(SPLIT, ""), value]));
}

/** Columns of a table of every model's figures on searches: those that tables of retrievers show. */
export function retrieverColumns(rows: readonly TableRow[]): TableColumn[] {
  const figures = figuresAmong(rows.flatMap((row) => Object.keys(row))).filter((figure) => isShown(figure, "own"));
  return figures.map(({ name, heading }) => ({ key: name, title: heading }));
}
