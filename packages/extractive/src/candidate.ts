import { lowerFirst } from "./wording.js";

/** A question with its answer, as one rule proposes it. */
export interface Candidate {
  question: string;
  /** One or two sentences, verbatim up to white space. */
  answer: string;
  /** Kind of rule: two questions of a passage come from different ones when possible. */
  rule: string;
  /** How well questions of this rule read, in [0, 1]. */
  score: number;
}

/** What a rule sees of a sentence. */
export interface SentenceContext {
  sentence: string;
  /** The sentence without Markdown. */
  plain: string;
  /** The package or page; undefined when unknown. */
  subject: string | undefined;
  /** Headings above, outermost first, without Markdown. */
  headings: readonly string[];
  /** The sentence opens the text under its heading. */
  opensSection: boolean;
}

const simplified = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .trim();

/** Whether a text already names the subject (`commander` in `Commander.js`). */
export function namesSubject(text: string, subject: string): boolean {
  const bare = simplified(subject.replace(/^@[^/]+\//, ""));
  return bare !== "" && ` ${simplified(text)} `.includes(` ${bare} `);
}

/** Whether a title is the subject's name and nothing more (`Commander.js`, `p-limit`). */
export function isName(title: string, subject: string): boolean {
  const bare = (text: string): string =>
    simplified(text.replace(/^@[^/]+\//, "").replace(/\.js$/i, "")).replaceAll(" ", "");
  return bare(title) === bare(subject) || title === subject;
}

/** Adds `in <subject>` unless the question names it. */
export function withSubject(question: string, subject: string | undefined, preposition = "in"): string {
  const open = question.replace(/\s*\?$/, "");
  if (subject === undefined || namesSubject(open, subject)) return `${open}?`;
  // A page called "Emailing my customers" is something that is done, not a place.
  if (/^[A-Z][a-z]+ing [a-z]/.test(subject)) return `${open} when ${lowerFirst(subject)}?`;
  return `${open} ${preposition} ${subject}?`;
}
