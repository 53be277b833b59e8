import { WITHOUT_SPACES } from "./scripts.js";

// The one notion of a word, for everything but the figures that must equal a reference's: letters with their marks, and digits;
// everything else parts words. Where a script has no spaces, words are those of Unicode's segmentation and its dictionaries.

export interface WordOptions {
  /** Underscores join, so that an identifier such as `max_length` is one word; else they part. */
  underscores?: boolean;
}

// Of a text without letters, marks or digits beyond Latin. Without the flag u, and with so few ranges, five times as fast as below.
const LATIN_WORD = /[a-z0-9\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f]+/g;
const LATIN_IDENTIFIER = /[a-z0-9_\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f]+/g;
/** Anything but Latin, punctuation, currencies, arrows and signs of mathematics. */
const BEYOND_LATIN = /[^\t-\u024f\u2000-\u206f\u20a0-\u20c0\u2190-\u245f]/;

const WORD = /[\p{L}\p{M}\p{N}]+/gu;
const IDENTIFIER = /[\p{L}\p{M}\p{N}_]+/gu;
/** Invisible: they shape letters inside of a word, and not everyone types them. */
const JOINERS = /[\u200c\u200d]+/g;
/** Vowels of Thai and Lao that NFKC takes apart, into letters with which the dictionaries do not know the words. */
const APART = /\u0e4d\u0e32|\u0ecd\u0eb2/g;

const segmenter = new Intl.Segmenter("en", { granularity: "word" });

/** A run of letters, cut where it has words of a script without spaces. */
function cutRun(run: string): string | string[] {
  return WITHOUT_SPACES.test(run) ? Array.from(segmenter.segment(run), ({ segment }) => segment) : run;
}

/** Words of a text in lower case, without punctuation; compatibility forms and accents written apart made one (NFKC). */
export function words(text: string, { underscores = false }: WordOptions = {}): string[] {
  const plain = text.normalize("NFKC").toLowerCase();
  if (!BEYOND_LATIN.test(plain)) return plain.match(underscores ? LATIN_IDENTIFIER : LATIN_WORD) ?? [];
  const joined = plain.replace(JOINERS, "").replace(APART, (pair) => (pair[0] === "\u0e4d" ? "\u0e33" : "\u0eb3"));
  const runs = joined.match(underscores ? IDENTIFIER : WORD) ?? [];
  return WITHOUT_SPACES.test(joined) ? runs.flatMap(cutRun) : runs;
}
