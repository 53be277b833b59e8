// SQuAD's evaluation runs on Python, whose words are Unicode and whose white space is not JavaScript's: with \b the last
// letter of "caña" would be taken for an article, and \s takes the byte-order mark for a space.
const ARTICLES = /(?<![\p{L}\p{N}_])(?:a|an|the)(?![\p{L}\p{N}_])/gu;
// biome-ignore lint/suspicious/noControlCharactersInRegex: Python splits at these separators too.
const WHITE_SPACE = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/;

const WHITE_SPACE_AT_END = new RegExp(`${WHITE_SPACE.source}$`);

/** The text without white space at its end, as Python's `str.rstrip()`. */
export function stripEnd(text: string): string {
  return text.replace(WHITE_SPACE_AT_END, "");
}

/** The words of a text as Python's `str.split()` cuts them. */
export function splitWords(text: string): string[] {
  return text.split(WHITE_SPACE).filter((word) => word !== "");
}

/** Answer normalisation of SQuAD's evaluation: lower case, no punctuation, no articles, single spaces; split in tokens. */
export function normalisedTokens(text: string): string[] {
  return splitWords(
    text
      .toLowerCase()
      .replace(/[!"#$%&'()*+,\-./:;<=>?@[\\\]^_`{|}~]/g, "")
      .replace(ARTICLES, " "),
  );
}

/** Multiset of tokens. */
export function countTokens(tokens: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const token of tokens) counts.set(token, (counts.get(token) ?? 0) + 1);
  return counts;
}

/** Size of the multiset intersection of two token lists. */
export function commonTokens(a: readonly string[], b: readonly string[]): number {
  const counts = countTokens(a);
  let common = 0;
  for (const token of b) {
    const left = counts.get(token) ?? 0;
    if (left > 0) {
      common++;
      counts.set(token, left - 1);
    }
  }
  return common;
}

/** Share of b's normalised tokens that a also has (multiset), in [0, 1]; the reference's overlap. 0 when b has none. */
export function overlap(a: string, b: string): number {
  const tokens = normalisedTokens(b);
  return tokens.length === 0 ? 0 : commonTokens(normalisedTokens(a), tokens) / tokens.length;
}
