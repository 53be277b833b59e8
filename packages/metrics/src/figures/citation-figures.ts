import type { FigureRow } from "./figure.js";

/** A citation of an answer. */
export interface JudgedCitation {
  /** Whether the prompt had a passage of its number. */
  valid: boolean;
  /** Whether the passage is a gold one, holds what a gold one says, or has the words of the sentence that cites it. */
  right: boolean;
}

/** An answer that does not refuse, with what it cites. */
export interface CitingAnswer {
  /** Each number, as often as it is cited. */
  citations: readonly JudgedCitation[];
}

const ANSWER = { part: "answer", share: true } as const;
const shareOf = (citations: readonly JudgedCitation[], counts: (citation: JudgedCitation) => boolean) =>
  citations.length === 0 ? undefined : citations.filter(counts).length / citations.length;

/** Figures of citations, of generators that are asked to cite. */
export const CITATION_FIGURES: readonly FigureRow<CitingAnswer>[] = [
  {
    ...ANSWER,
    key: "cites",
    title: "answers with a citation",
    heading: "cites",
    about: "with `citations`: share of the answers, but for refusals, that cite a passage of the prompt",
    better: "greater",
    level: "narrow",
    of: ({ citations }) => Number(citations.some(({ valid }) => valid)),
  },
  {
    ...ANSWER,
    key: "citation_precision",
    title: "right citations",
    about:
      "share of an answer's citations whose passage is a gold one, holds it, or has more than 80 % of the words of the sentence that cites it; those of no passage are wrong",
    better: "greater",
    level: "narrow",
    of: ({ citations }) => shareOf(citations, ({ right }) => right),
  },
  {
    ...ANSWER,
    key: "invalid_citations",
    title: "citations of no passage",
    about: "share of an answer's citations with a number that no passage of the prompt has",
    better: "less",
    level: "own",
    of: ({ citations }) => shareOf(citations, ({ valid }) => !valid),
  },
];
