import { NOT_LATIN } from "./scripts.js";
import { squadTokens } from "./squad-tokens.js";
import { words } from "./words.js";

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

/** SQuAD's tokens, as the reference counts them; those of other scripts than Latin, of whose punctuation and lack of spaces it knows nothing, as words. */
const tokensOf = (text: string): string[] =>
  squadTokens(text).flatMap((token) => (NOT_LATIN.test(token) ? words(token) : token));

/** Share of b's tokens that a also has (multiset), in [0, 1]; the reference's overlap. 0 when b has none. */
export function overlap(a: string, b: string): number {
  const tokens = tokensOf(b);
  return tokens.length === 0 ? 0 : commonTokens(tokensOf(a), tokens) / tokens.length;
}
