import { wordCount } from "@rag-ft/text";
import { type RougeScores, rougeScore } from "../rouge.js";
import { type SquadScore, squadScore } from "../squad.js";
import type { FigureRow } from "./figure.js";

/** An answer with what it is compared with. Overlaps that several figures are read from are computed once. */
export class AnsweredQuestion {
  private readonly known = new Map<string, unknown>();

  /** `passages`: texts that the prompt held; left out where they are not known. */
  constructor(
    readonly gold: string,
    readonly answer: string,
    readonly passages?: readonly string[],
  ) {}

  /** ROUGE against the gold answer, without stemming. */
  get rouge(): RougeScores {
    return this.once("rouge", () => rougeScore(this.gold, this.answer));
  }

  /** Overlap of words with the gold answer, as in SQuAD. */
  get squad(): SquadScore {
    return this.once("squad", () => squadScore(this.gold, this.answer));
  }

  /** The figure against the passage that gives the highest; 0 without passages. */
  bestRouge(measure: (score: RougeScores) => number): number | undefined {
    const scores = this.once("passageRouge", () => this.passages?.map((text) => rougeScore(text, this.answer)));
    return scores && Math.max(0, ...scores.map(measure));
  }

  /** Likewise. */
  bestSquad(measure: (score: SquadScore) => number): number | undefined {
    const scores = this.once("passageSquad", () => this.passages?.map((text) => squadScore(text, this.answer)));
    return scores && Math.max(0, ...scores.map(measure));
  }

  private once<T>(name: string, compute: () => T): T {
    if (!this.known.has(name)) this.known.set(name, compute());
    return this.known.get(name) as T;
  }
}

const ANSWER = { part: "answer", better: "greater", share: true } as const;

/** Figures of an answer. `…_passage` takes the best passage of the prompt as the reference, in the place of the gold answer. */
export const ANSWER_FIGURES: readonly FigureRow<AnsweredQuestion>[] = [
  {
    ...ANSWER,
    key: "rouge1",
    title: "ROUGE-1",
    about: "overlap of words with the gold answer, as f-measure, without stemming",
    level: "wide",
    of: ({ rouge }) => rouge.rouge1.fmeasure,
  },
  {
    ...ANSWER,
    key: "rouge2",
    title: "ROUGE-2",
    about: "the same of pairs of words",
    level: "wide",
    of: ({ rouge }) => rouge.rouge2.fmeasure,
  },
  {
    ...ANSWER,
    key: "rougeL",
    title: "ROUGE-L",
    about: "the same of the longest common subsequence",
    level: "lead",
    spread: true,
    of: ({ rouge }) => rouge.rougeL.fmeasure,
  },
  {
    ...ANSWER,
    key: "f1",
    title: "F1",
    about: "harmonic mean of precision and recall of words, as in SQuAD",
    level: "narrow",
    spread: true,
    of: ({ squad }) => squad.f1,
  },
  {
    ...ANSWER,
    key: "precision",
    title: "precision of words",
    about: "share of the answer's words that the gold answer has",
    level: "file",
    of: ({ squad }) => squad.precision,
  },
  {
    ...ANSWER,
    key: "recall",
    title: "recall of words",
    about: "share of the gold answer's words that the answer has",
    level: "file",
    of: ({ squad }) => squad.recall,
  },
  {
    ...ANSWER,
    key: "exact_match",
    title: "exact match",
    about: "1 when both are the same but for case, articles and punctuation",
    level: "own",
    of: ({ squad }) => squad.exact_match,
  },
  {
    ...ANSWER,
    key: "rouge1_passage",
    title: "ROUGE-1 with the best retrieved passage",
    about: "ROUGE-1 against the passage of the prompt that gives the highest",
    level: "file",
    of: (question) => question.bestRouge(({ rouge1 }) => rouge1.fmeasure),
  },
  {
    ...ANSWER,
    key: "rouge2_passage",
    title: "ROUGE-2 with the best retrieved passage",
    about: "likewise",
    level: "file",
    of: (question) => question.bestRouge(({ rouge2 }) => rouge2.fmeasure),
  },
  {
    ...ANSWER,
    key: "rougeL_passage",
    title: "ROUGE-L with the best retrieved passage",
    about: "likewise",
    level: "file",
    spread: true,
    of: (question) => question.bestRouge(({ rougeL }) => rougeL.fmeasure),
  },
  {
    ...ANSWER,
    key: "f1_passage",
    title: "F1 with the best retrieved passage",
    about: "likewise",
    level: "file",
    of: (question) => question.bestSquad(({ f1 }) => f1),
  },
  {
    ...ANSWER,
    key: "precision_passage",
    title: "precision of words with the best retrieved passage",
    about: "likewise: how much of the answer stands in a passage",
    level: "file",
    of: (question) => question.bestSquad(({ precision }) => precision),
  },
  {
    key: "answer_length",
    title: "words an answer",
    heading: "words",
    about: "length of the answer in words",
    part: "answer",
    share: false,
    level: "narrow",
    digits: 1,
    of: ({ answer }) => wordCount(answer),
  },
];
