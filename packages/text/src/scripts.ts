/** Scripts that are told apart; letters of any other count as "Other". Names are Unicode's. */
const SCRIPTS = [
  ..."Latin Cyrillic Greek Armenian Georgian Hebrew Arabic Devanagari Bengali Gurmukhi Gujarati Oriya Tamil Telugu".split(
    " ",
  ),
  ..."Kannada Malayalam Sinhala Ethiopic Han Hiragana Katakana Hangul Bopomofo Thai Lao Khmer Myanmar Tibetan".split(
    " ",
  ),
] as const;

/** A character of a script that is written without spaces between words. */
export const WITHOUT_SPACES =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

/** A letter that no Latin text has. */
export const NOT_LATIN = /(?!\p{Script=Latin}|\p{Script=Common})\p{L}/u;

const LETTER_BEYOND_ASCII = /(?!\p{Script=Common})(?![a-zA-Z])\p{L}/gu;

const ofScript = new Map(SCRIPTS.map((script) => [script, new RegExp(`\\p{Script=${script}}`, "u")]));

/** A script and its share of a text's letters, in (0, 1]. */
export interface ScriptShare {
  script: string;
  share: number;
}

/**
 * The scripts of a text's letters, the one with most letters first. Japanese has three (Han, Hiragana, Katakana). Letters that several
 * scripts share, such as the mark of a long vowel, are not counted. Empty for a text without letters.
 */
export function scriptsOf(text: string): ScriptShare[] {
  const counts = new Map<string, number>();
  const add = (script: string, letters: number): void => void counts.set(script, (counts.get(script) ?? 0) + letters);
  const ascii = text.match(/[a-zA-Z]/g)?.length ?? 0;
  if (ascii > 0) add("Latin", ascii);
  let last: string = "Latin";
  for (const [letter] of text.matchAll(LETTER_BEYOND_ASCII)) {
    // A letter is mostly of the script of the one before.
    if (!ofScript.get(last)?.test(letter))
      last = SCRIPTS.find((script) => ofScript.get(script)?.test(letter)) ?? "Other";
    add(last, 1);
  }
  const letters = [...counts.values()].reduce((sum, count) => sum + count, 0);
  return [...counts].map(([script, count]) => ({ script, share: count / letters })).sort((a, b) => b.share - a.share);
}

/** Of documentation's prose in other scripts, names and code make up to three quarters; of English prose, other scripts are a few quotations. */
const OTHER_SCRIPTS_FROM = 0.2;

/** Whether a text is written in another script than Latin, whatever Latin names stand in it. */
export function beyondLatin(text: string): boolean {
  const latin = scriptsOf(text).find(({ script }) => script === "Latin")?.share;
  return /\p{L}/u.test(text) && 1 - (latin ?? 0) >= OTHER_SCRIPTS_FROM;
}
