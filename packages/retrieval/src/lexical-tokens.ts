/** Letters with their marks, digits and underscores; everything else parts words. */
const WORD = /[\p{L}\p{M}\p{N}_]+/gu;
/** Scripts that are written without spaces between words. */
const WITHOUT_SPACES =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

const segmenter = new Intl.Segmenter("en", { granularity: "word" });

/**
 * Words for lexical search: lower case, compatibility forms made one (NFKC). Neither stems nor a list of stop words: on
 * questions about documentation plain words find more at the first place. Where a script has no spaces, the words are Unicode's.
 */
export function lexicalTokens(text: string): string[] {
  const plain = text.normalize("NFKC").toLowerCase();
  const words: string[] = plain.match(WORD) ?? [];
  if (!WITHOUT_SPACES.test(plain)) return words;
  return words.flatMap((word) =>
    WITHOUT_SPACES.test(word) ? Array.from(segmenter.segment(word), ({ segment }) => segment) : word,
  );
}
