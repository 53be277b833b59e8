import type { Document, QaRow, StageContext } from "@rag-ft/core";
import { bm25Retriever, evaluateRetriever } from "@rag-ft/retrieval";
import { prefixed, type Score, scoreOf } from "./score.js";
import type { TestE2eSettings } from "./settings.js";

/** The table's line of the baseline that any retriever should beat: BM25 on the same questions. It answers nothing. */
export async function bm25Row(
  documents: readonly Document[],
  rows: readonly QaRow[],
  settings: Pick<TestE2eSettings, "embedding_max_num_to_retrieve" | "seed">,
  { reporter, signal }: StageContext,
): Promise<{ label: string; figures: Score }> {
  const { scores } = await evaluateRetriever(bm25Retriever(documents), {
    questions: rows,
    depth: settings.embedding_max_num_to_retrieve,
    reporter,
    signal,
  });
  const figures = scores.map((score) => prefixed("test_retr", score.figures));
  return { label: "BM25, retrieval alone", figures: scoreOf(figures, {}, settings.seed) };
}
