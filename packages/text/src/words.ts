// Scripts written without spaces: each character counts as a word, or a whole sentence would be one.
const UNSPACED =
  "\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}";
// From a text, because the flag v (set difference) is not yet in the language level that we compile to.
const WORD = new RegExp(`[${UNSPACED}]|[[\\p{L}\\p{M}\\p{N}]--[${UNSPACED}]]+`, "gv");

/** Words of a text, lower case, without punctuation. */
export function words(text: string): string[] {
  return text.toLowerCase().match(WORD) ?? [];
}
