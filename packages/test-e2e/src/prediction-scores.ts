import type { RetrievalScore } from "@rag-ft/retrieval";

/** Groups of a retriever's figures under the names that `scores` of a prediction had for them first. */
const GROUPS: Readonly<Record<string, string>> = {
  document_recall: "documents",
  near_recall: "near_documents",
  fraction_recall: "fraction",
  mrr: "reciprocal_rank",
  map: "average_precision",
};

/** A retriever's figures as `scores` of a prediction holds them: `{ documents: { recall1, recall4 }, reciprocal_rank, gold_ranks, … }`. */
export function retrievalScores({ figures, gold_ranks }: RetrievalScore): Record<string, unknown> {
  const scores: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(figures)) {
    const [group = "", key] = name.split("/");
    const known = GROUPS[group] ?? group;
    scores[known] = key === undefined ? value : { ...(scores[known] as object | undefined), [key]: value };
  }
  return { ...scores, gold_ranks };
}
