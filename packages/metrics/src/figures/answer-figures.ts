import { beyondLatin, wordCount, words } from "@rag-ft/text";
import { type RougeScores, rougeOfTokens, rougeScore } from "../rouge.js";
import { type SquadScore, squadOfTokens, squadScore } from "../squad.js";
import type { FigureRow } from "./figure.js";

/** How texts are compared. */
interface Overlaps {
  rouge(gold: string, answer: string): RougeScores;
  squad(gold: string, answer: string): SquadScore;
}

const REFERENCE: Overlaps = { rouge: rougeScore, squad: squadScore };
/** The same formulas over words of any script. */
const UNICODE: Overlaps = {
  rouge: (gold, answer) => rougeOfTokens(words(gold), words(answer)),
  squad: (gold, answer) => squadOfTokens(words(gold), words(answer)),
};

/** Overlaps of an answer with its references; those that several figures are read from are computed once. */
class ComparedAnswer {
  private readonly known = new Map<string, unknown>();

  constructor(
    private readonly by: Overlaps,
    private readonly gold: string,
    private readonly answer: string,
    private readonly passages: readonly string[] | undefined,
  ) {}

  /** ROUGE against the gold answer, without stemming. */
  get rouge(): RougeScores {
    return this.once("rouge", () => this.by.rouge(this.gold, this.answer));
  }

  /** Overlap of words with the gold answer, as in SQuAD. */
  get squad(): SquadScore {
    return this.once("squad", () => this.by.squad(this.gold, this.answer));
  }

  /** The figure against the passage that gives the highest; 0 without passages. */
  bestRouge(measure: (score: RougeScores) => number): number | undefined {
    const scores = this.once("passageRouge", () => this.passages?.map((text) => this.by.rouge(text, this.answer)));
    return scores && Math.max(0, ...scores.map(measure));
  }

  /** Likewise. */
  bestSquad(measure: (score: SquadScore) => number): number | undefined {
    const scores = this.once("passageSquad", () => this.passages?.map((text) => this.by.squad(text, this.answer)));
    return scores && Math.max(0, ...scores.map(measure));
  }

  private once<T>(name: string, compute: () => T): T {
    if (!this.known.has(name)) this.known.set(name, compute());
    return this.known.get(name) as T;
  }
}

/** Whether a test's gold answers are of other scripts than Latin, of which the references' figures, made for a to z, say little. */
export const wantsUnicodeFigures = (golds: readonly string[]): boolean => beyondLatin(golds.join("\n"));

/** Says in a table's notes what is shown in the place of the usual figures. */
export const UNICODE_FIGURES_NOTE =
  "The gold answers are not in Latin letters: ROUGE, F1 and exact match are shown over words of all scripts (names with _unicode). The references' figures, which ROUGE takes over a to z and 0 to 9 alone, are in the files.";

/** An answer with what it is compared with. */
export class AnsweredQuestion {
  readonly reference: ComparedAnswer;
  /** There where the test's gold answers ask for it. */
  readonly unicode: ComparedAnswer | undefined;

  /** `passages`: texts that the prompt held; left out where they are not known. `unicode`: as `wantsUnicodeFigures` says of all gold answers. */
  constructor(
    gold: string,
    readonly answer: string,
    passages?: readonly string[],
    { unicode = false }: { unicode?: boolean } = {},
  ) {
    this.reference = new ComparedAnswer(REFERENCE, gold, answer, passages);
    this.unicode = unicode ? new ComparedAnswer(UNICODE, gold, answer, passages) : undefined;
  }
}

const ANSWER = { part: "answer", better: "greater", share: true } as const;

/** Figures of an answer's overlap with its reference. `…_passage` takes the best passage of the prompt as the reference, in the place of the gold answer. */
const OVERLAPS: readonly FigureRow<ComparedAnswer>[] = [
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
];

/** The same figure over words of all scripts. */
const unicodeTwin = (row: FigureRow<ComparedAnswer>): FigureRow<AnsweredQuestion> => ({
  ...row,
  key: `${row.key}_unicode`,
  instead: row.key,
  title: `${row.title} (Unicode)`,
  about: `\`${row.key}\` over words of all scripts; where the gold answers are not in Latin letters, shown in its place`,
  of: ({ unicode }, depth) => unicode && row.of(unicode, depth),
});

/** Figures of an answer. */
export const ANSWER_FIGURES: readonly FigureRow<AnsweredQuestion>[] = [
  ...OVERLAPS.map((row) => ({
    ...row,
    of: ({ reference }: AnsweredQuestion, depth: number) => row.of(reference, depth),
  })),
  ...OVERLAPS.map(unicodeTwin),
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
