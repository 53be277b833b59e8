import { averagePrecision, documentRecall, ndcgAtK, recallAtK, reciprocalRank } from "../retrieval-metrics.js";
import type { FigureRow } from "./figure.js";

/** What was retrieved for a question, as ids. */
export interface RetrievedQuestion {
  /** Best first, to the depth that was searched. */
  retrieved: readonly string[];
  /** Each once. */
  gold: readonly string[];
  /** How relevant gold passages are, where they are not all alike. */
  relevance?: ReadonlyMap<string, number>;
  /** For each gold passage the place, from 1, of the first passage that is it or holds its content; left out where that is not known. */
  nearRanks?: readonly (number | null)[];
  /** The same of the first passage that is it, holds its content or is a fragment of it. */
  fragmentRanks?: readonly (number | null)[];
}

/** 1 when all gold passages have their place among the first k; undefined where places are not known. */
const allWithin = (ranks: readonly (number | null)[] | undefined, k: number): number | undefined =>
  ranks && (ranks.length > 0 && ranks.every((rank) => rank !== null && rank <= k) ? 1 : 0);

const RETRIEVER = { part: "retriever", better: "greater", share: true } as const;

/** Figures of a retriever, each in [0, 1]. */
export const RETRIEVAL_FIGURES: readonly FigureRow<RetrievedQuestion>[] = [
  {
    ...RETRIEVER,
    key: "recall@{k}",
    file: "document_recall/recall{k}",
    title: "recall@{k}",
    about: "1 when all gold passages are among the first k, else 0; the reference's `document_recall`",
    at: "each",
    level: (k) => (k === 4 ? "lead" : "narrow"),
    of: ({ retrieved, gold }, k) => documentRecall(retrieved, gold, k),
  },
  {
    ...RETRIEVER,
    key: "near_recall@{k}",
    file: "near_recall/recall{k}",
    title: "near recall@{k}",
    heading: "near@{k}",
    about:
      "the same, where a passage with more than 80 % of a gold passage's words counts for it: it holds what that says",
    at: "each",
    level: (k) => (k === 1 ? "wide" : "narrow"),
    of: ({ nearRanks }, k) => allWithin(nearRanks, k),
  },
  {
    ...RETRIEVER,
    key: "near_fragment_recall@{k}",
    file: "near_fragment_recall/recall{k}",
    title: "near recall with fragments@{k}",
    about:
      "near recall, where a fragment counts too, a passage whose words are to more than 80 % in a gold one; it need not hold the answer (near recall of earlier versions)",
    at: "each",
    level: "file",
    of: ({ fragmentRanks }, k) => allWithin(fragmentRanks, k),
  },
  {
    ...RETRIEVER,
    key: "fraction_recall@{k}",
    file: "fraction_recall/recall{k}",
    title: "share of gold passages@{k}",
    about: "share of the gold passages that are among the first k",
    at: "each",
    level: "file",
    of: ({ retrieved, gold }, k) => recallAtK(retrieved, gold, k),
  },
  {
    ...RETRIEVER,
    key: "mrr@{k}",
    bare: "mrr",
    title: "MRR@{k}",
    about: "1 / rank of the first gold passage; 0 when none is among the first k",
    at: "searched",
    level: "own",
    of: ({ retrieved, gold }, k) => reciprocalRank(retrieved.slice(0, k), gold),
  },
  {
    ...RETRIEVER,
    key: "ndcg@{k}",
    file: "ndcg/ndcg{k}",
    title: "nDCG@{k}",
    about:
      "discounted cumulative gain of the first k, as a share of the best order's; each gold passage is worth 1, or its relevance where questions have `gold_relevance`",
    at: "each",
    level: (k, deepest) => (k === deepest ? "own" : "file"),
    of: ({ retrieved, gold, relevance }, k) => ndcgAtK(retrieved, relevance ?? gold, k),
  },
  {
    ...RETRIEVER,
    key: "map@{k}",
    bare: "map",
    title: "MAP@{k}",
    about: "average precision within the first k; with a single gold passage it is MRR",
    at: "searched",
    level: "own",
    of: ({ retrieved, gold }, k) => averagePrecision(retrieved, gold, k),
  },
];
