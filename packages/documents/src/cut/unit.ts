/** A block that had to be cut: what is written again where a passage begins or ends inside it. */
export interface CutBlock {
  /** Opening fence, or a table's header rows; with its newline. */
  before: string;
  /** Closing fence, with its newline. */
  after: string;
  /** Tokens of both. */
  beforeTokens: number;
  afterTokens: number;
  /** Indices of its first and last unit. */
  first: number;
  last: number;
}

/** The smallest stretch that is never cut: a sentence, a line, a heading, a whole code block that fits. */
export interface Unit {
  start: number;
  /** Where the next unit begins: white space between two belongs to the first. */
  end: number;
  tokens: number;
  /** How much a reader would mind a passage that begins here; see `COST`. */
  cost: number;
  heading: boolean;
  /** Whether repeated text may begin here: at a sentence or line, not within one. */
  border: boolean;
  /** Number of its block in the page. */
  of: number;
  /** Set when the block had to be cut. */
  block?: CutBlock;
}

/** What a cut costs by what it falls on, in units of a passage left quite empty (`choose-cuts.ts`). */
export const COST = {
  /** Before a heading of level 1 or 2, and what each deeper level adds. */
  heading: 0,
  perHeadingLevel: 0.1,
  /** Before a line of plain text that reads like a heading, and before a term. */
  likeHeading: 0.2,
  paragraph: 0.8,
  /** Before a code block or a table, which the text above most often introduces. */
  figure: 1.5,
  item: 0.9,
  perItemLevel: 0.15,
  line: 1.1,
  sentence: 2,
  clause: 4,
  word: 6,
  /** Added after a heading: it would end a passage without its text. */
  afterHeading: 5,
  /** Added after a colon: what it announces would be elsewhere. */
  afterColon: 2.5,
} as const;
