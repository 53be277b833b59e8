import type { Document, QaRow, StageContext } from "@rag-ft/core";
import { bm25Retriever, evaluateRetriever, figuresOfQuestion } from "@rag-ft/retrieval";
import { RECALL_DEPTHS } from "./retrieve-for-all.js";
import { prefixed, type Score, scoreOf } from "./score.js";

/** The table's line of the baseline that any retriever should beat: BM25 on the same questions. It answers nothing. */
export async function bm25Row(
  documents: readonly Document[],
  rows: readonly QaRow[],
  seed: number,
  { reporter, signal }: StageContext,
): Promise<{ label: string; figures: Score }> {
  const { scores } = await evaluateRetriever(bm25Retriever(documents), {
    questions: rows,
    ks: RECALL_DEPTHS,
    reporter,
    signal,
  });
  const figures = scores.map((score) => prefixed("test_retr", figuresOfQuestion(score)));
  return { label: "BM25, retrieval alone", figures: scoreOf(figures, {}, seed) };
}
