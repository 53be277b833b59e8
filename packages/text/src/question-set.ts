import { ara, fas, hin, jpn, kor, rus, tha, ukr, zho } from "stopword";
import { porterStem } from "./porter-stemmer.js";
import { NOT_LATIN } from "./scripts.js";
import { words } from "./words.js";

/** Words that say how a question is put, not what it asks for. */
const STOP_WORDS = new Set(
  (
    "a an and any are as at be been being but by can could did do does doing for from get had has have having he her his how i " +
    "if in into is it its may me might must my of on or our ours shall she should so some such than that the their them then " +
    "there these they this those to us was we were what when where which while who whom whose why will with would you your"
  ).split(" "),
);

/** Likewise of languages in other scripts; not the parts of phrases, which carry meaning elsewhere. */
const OTHER_STOP_WORDS = new Set(
  [ara, fas, hin, jpn, kor, rus, tha, ukr, zho].flat().flatMap((word) => {
    const cut = words(word);
    return cut.length === 1 ? cut : [];
  }),
);

/** Particles and endings of Japanese: what carries meaning is written in Kanji or Katakana, but for few words. */
const HIRAGANA = /^[\p{Script=Hiragana}ー]+$/u;

const saysHow = (word: string): boolean =>
  STOP_WORDS.has(word) || (NOT_LATIN.test(word) && (HIRAGANA.test(word) || OTHER_STOP_WORDS.has(word)));

/** The words that carry a question's meaning, stemmed, each once; all its words when it has no others. */
export function contentWords(question: string): string[] {
  const all = words(question);
  const content = all.filter((word) => !saysHow(word));
  return [...new Set((content.length > 0 ? content : all).map((word) => porterStem(word)))];
}

/** The question without case, punctuation and spacing. */
export const normalisedQuestion = (question: string): string => words(question).join(" ");

export interface QuestionSetOptions {
  /**
   * Two questions are paraphrases when they have more than this share of their content words in common (Jaccard). 1: only equal
   * questions, case and punctuation aside, are found.
   */
  overlapAbove?: number;
  /** Two questions are paraphrases, too, when the cosine of their vectors is above this; needs vectors. */
  cosineAbove?: number;
}

export const PARAPHRASE_OVERLAP = 0.8;

/** A question of the set that asks the same as another one. */
export interface SameQuestion {
  /** The place in which it was added. */
  id: number;
  kind: "duplicate" | "paraphrase";
}

/** Sum of products of two rows of unit length. */
function cosine(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}

/** Scales a vector to length 1. */
function unit(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector);
  return length > 0 ? vector.map((value) => value / length) : vector;
}

/** Questions that can be asked for one that asks the same. Grows as questions are added; the order of adding decides nothing else. */
export class QuestionSet {
  private readonly byText = new Map<string, number[]>();
  private readonly byWord = new Map<string, number[]>();
  private readonly sizes: number[] = [];
  private readonly vectors: (Float32Array | undefined)[] = [];
  private readonly overlapAbove: number;
  private readonly cosineAbove: number;

  constructor({ overlapAbove = PARAPHRASE_OVERLAP, cosineAbove = 1 }: QuestionSetOptions = {}) {
    this.overlapAbove = overlapAbove;
    this.cosineAbove = cosineAbove;
  }

  /** Adds a question; returns its place. */
  add(question: string, vector?: Float32Array): number {
    const id = this.sizes.length;
    const text = normalisedQuestion(question);
    this.byText.set(text, [...(this.byText.get(text) ?? []), id]);
    const content = contentWords(question);
    this.sizes.push(content.length);
    this.vectors.push(vector && unit(vector));
    for (const word of content) {
      const ids = this.byWord.get(word);
      if (ids) ids.push(id);
      else this.byWord.set(word, [id]);
    }
    return id;
  }

  /** All questions of the set that ask the same, in the order of adding. */
  same(question: string, vector?: Float32Array): SameQuestion[] {
    const found = new Map<number, SameQuestion["kind"]>();
    for (const id of this.byText.get(normalisedQuestion(question)) ?? []) found.set(id, "duplicate");
    for (const id of [...this.overlapping(question), ...this.similar(vector)])
      if (!found.has(id)) found.set(id, "paraphrase");
    return [...found].map(([id, kind]) => ({ id, kind })).sort((a, b) => a.id - b.id);
  }

  private overlapping(question: string): number[] {
    if (this.overlapAbove >= 1) return [];
    const content = contentWords(question);
    const common = new Map<number, number>();
    for (const word of content) for (const id of this.byWord.get(word) ?? []) common.set(id, (common.get(id) ?? 0) + 1);
    return [...common]
      .filter(([id, both]) => both / (content.length + (this.sizes[id] as number) - both) > this.overlapAbove)
      .map(([id]) => id);
  }

  private similar(vector: Float32Array | undefined): number[] {
    if (vector === undefined || this.cosineAbove >= 1) return [];
    const own = unit(vector);
    return this.vectors.flatMap((other, id) => (other && cosine(own, other) > this.cosineAbove ? [id] : []));
  }
}
