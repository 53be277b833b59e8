import { NOT_LATIN, words } from "@rag-ft/text";

/** Signs that a writer may leave out: vowels and stretching of Arabic, vowels of Hebrew. */
const OPTIONAL_SIGNS = /[\u0610-\u061a\u0640\u064b-\u065f\u0670\u0591-\u05bd\u05bf-\u05c7]+/g;

const HANGUL = /\p{Script=Hangul}/u;
const RUN = /\p{Script=Hangul}+|\P{Script=Hangul}+/gu;

/**
 * A Korean word as its pairs of syllables, as Lucene cuts it: particles and endings are written onto the word that is looked for, be it Latin
 * or not.
 */
function pairsOfSyllables(word: string): string | string[] {
  if (!HANGUL.test(word)) return word;
  return (word.match(RUN) ?? []).flatMap((run) =>
    run.length < 3 || !HANGUL.test(run) ? run : Array.from({ length: run.length - 1 }, (_, i) => run.slice(i, i + 2)),
  );
}

/** One spelling for words that are written in two. */
const oneSpelling = (text: string): string => text.normalize("NFKC").replace(OPTIONAL_SIGNS, "").replace(/ё/gi, "е");

/**
 * Words for lexical search, identifiers whole. Neither stems nor a list of stop words: on questions about documentation plain words
 * find more at the first place.
 */
export function lexicalTokens(text: string): string[] {
  if (!NOT_LATIN.test(text)) return words(text, { underscores: true });
  return words(oneSpelling(text), { underscores: true }).flatMap(pairsOfSyllables);
}
