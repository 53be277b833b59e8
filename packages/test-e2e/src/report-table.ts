import { formatTable, type TableRow } from "@rag-ft/core";

/** Headline figures and their headings, in the order of the table. */
const COLUMNS: readonly [figure: string, title: string, digits: number][] = [
  ["test_retr/document_recall/recall1", "recall@1", 3],
  ["test_retr/document_recall/recall4", "recall@4", 3],
  ["test_gen/rouge1", "ROUGE-1", 3],
  ["test_gen/rouge2", "ROUGE-2", 3],
  ["test_gen/rougeL", "ROUGE-L", 3],
  ["test_gen/f1", "F1", 3],
  ["test_gen/gpt4_acc", "GPT4-Acc", 3],
  ["test_gen/answer_length", "words", 1],
  ["test_gen/latency_s", "s/answer", 2],
];

/** One line a system: the headline figures that at least one of them has. */
export function reportTable(systems: readonly { label: string; figures: Readonly<Record<string, number>> }[]): string {
  const columns = COLUMNS.filter(([figure]) => systems.some((system) => system.figures[figure] !== undefined));
  const rows = systems.map(
    ({ label, figures }): TableRow => ({
      system: label,
      ...Object.fromEntries(columns.map(([figure]) => [figure, figures[figure]])),
    }),
  );
  return formatTable(rows, ["system", ...columns.map(([key, title, digits]) => ({ key, title, digits }))]);
}
