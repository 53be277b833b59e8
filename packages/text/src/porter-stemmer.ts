// Porter's algorithm (M. Porter, "An algorithm for suffix stripping", 1980) with the extensions of NLTK's default mode,
// because Google's rouge_score stems with it and other variants give other figures (dying -> die, flies -> fli, dies -> die).
// 1. Irregular forms from a table; words of one or two letters stay. 2. Plurals (1a), -ed and -ing (1b), -y (1c).
// 3. Long suffixes to short ones (2, 3). 4. Suffixes cut (4). 5. Final -e and -ll (5a, 5b).

const IRREGULAR: ReadonlyMap<string, string> = new Map([
  ["skies", "sky"],
  ["sky", "sky"],
  ["dying", "die"],
  ["lying", "lie"],
  ["tying", "tie"],
  ["news", "news"],
  ["innings", "inning"],
  ["inning", "inning"],
  ["outings", "outing"],
  ["outing", "outing"],
  ["cannings", "canning"],
  ["canning", "canning"],
  ["howe", "howe"],
  ["proceed", "proceed"],
  ["exceed", "exceed"],
  ["succeed", "succeed"],
]);

/** `c` or `v` for each letter: `y` is a vowel after a consonant. */
function shape(word: string): string {
  let result = "";
  for (let i = 0; i < word.length; i++) {
    const letter = word.charAt(i);
    const vowel = "aeiou".includes(letter) || (letter === "y" && i > 0 && result.charAt(i - 1) === "c");
    result += vowel ? "v" : "c";
  }
  return result;
}

/** Porter's m: how often a vowel is followed by a consonant. */
function measure(stem: string): number {
  return shape(stem).split("vc").length - 1;
}

function endsInDoubleConsonant(word: string): boolean {
  return word.length >= 2 && word.at(-1) === word.at(-2) && shape(word).endsWith("c");
}

/** Porter's *o: consonant, vowel, consonant other than w, x, y; in NLTK also a whole word of vowel and consonant. */
function endsInShortSyllable(word: string): boolean {
  const letters = shape(word);
  if (word.length === 2) return letters === "vc";
  return letters.endsWith("cvc") && !/[wxy]$/.test(word);
}

type Condition = (stem: string, word: string) => boolean;
type Rule = readonly [suffix: string, replacement: string, condition: Condition];

/** The first rule whose suffix matches decides, whether its condition holds or not. */
function applyFirst(word: string, rules: readonly Rule[]): string {
  for (const [suffix, replacement, condition] of rules) {
    if (!word.endsWith(suffix)) continue;
    const stem = word.slice(0, word.length - suffix.length);
    return condition(stem, word) ? stem + replacement : word;
  }
  return word;
}

const always: Condition = () => true;
const positive: Condition = (stem) => measure(stem) > 0;
const aboveOne: Condition = (stem) => measure(stem) > 1;
const rulesOf = (condition: Condition, pairs: string): Rule[] =>
  pairs.split(" ").map((pair) => {
    const [suffix = "", replacement = ""] = pair.split(">");
    return [suffix, replacement, condition] as const;
  });

const PLURALS = rulesOf(always, "sses>ss ies>i ss>ss s>");

const LONG_SUFFIXES: readonly Rule[] = [
  ...rulesOf(
    positive,
    "ational>ate tional>tion enci>ence anci>ance izer>ize bli>ble alli>al entli>ent eli>e ousli>ous",
  ),
  ...rulesOf(
    positive,
    "ization>ize ation>ate ator>ate alism>al iveness>ive fulness>ful ousness>ous aliti>al iviti>ive",
  ),
  ...rulesOf(positive, "biliti>ble fulli>ful"),
  // The l belongs to the stem here, so that geology and archaeology end alike.
  ["logi", "log", (_stem, word) => measure(word.slice(0, -3)) > 0],
];

const MIDDLE_SUFFIXES = rulesOf(positive, "icate>ic ative> alize>al iciti>ic ical>ic ful> ness>");

const SHORT_SUFFIXES: readonly Rule[] = [
  ...rulesOf(aboveOne, "al> ance> ence> er> ic> able> ible> ant> ement> ment> ent>"),
  ["ion", "", (stem) => measure(stem) > 1 && /[st]$/.test(stem)],
  ...rulesOf(aboveOne, "ou> ism> ate> iti> ous> ive> ize>"),
];

function cutPlural(word: string): string {
  if (word.length === 4 && word.endsWith("ies")) return word.slice(0, -1);
  return applyFirst(word, PLURALS);
}

function cutPastAndProgressive(word: string): string {
  if (word.endsWith("ied")) return word.slice(0, word.length === 4 ? -1 : -2);
  if (word.endsWith("eed")) return measure(word.slice(0, -3)) > 0 ? word.slice(0, -1) : word;
  const suffix = ["ed", "ing"].find(
    (ending) => word.endsWith(ending) && shape(word.slice(0, -ending.length)).includes("v"),
  );
  if (suffix === undefined) return word;
  const stem = word.slice(0, -suffix.length);
  if (/(at|bl|iz)$/.test(stem)) return `${stem}e`;
  if (endsInDoubleConsonant(stem)) return /[lsz]$/.test(stem) ? stem : stem.slice(0, -1);
  return measure(stem) === 1 && endsInShortSyllable(stem) ? `${stem}e` : stem;
}

function turnFinalY(word: string): string {
  const stem = word.slice(0, -1);
  return word.endsWith("y") && stem.length > 1 && shape(stem).endsWith("c") ? `${stem}i` : word;
}

function shortenLongSuffix(word: string): string {
  // -alli goes first and what is left is looked at again (radicalli -> radical).
  if (word.endsWith("alli") && measure(word.slice(0, -4)) > 0) return shortenLongSuffix(word.slice(0, -2));
  return applyFirst(word, LONG_SUFFIXES);
}

function cutFinalE(word: string): string {
  if (!word.endsWith("e")) return word;
  const stem = word.slice(0, -1);
  const m = measure(stem);
  return m > 1 || (m === 1 && !endsInShortSyllable(stem)) ? stem : word;
}

function cutFinalL(word: string): string {
  return word.endsWith("ll") && measure(word.slice(0, -1)) > 1 ? word.slice(0, -1) : word;
}

/** The stem of a lower-case word, equal to NLTK's `PorterStemmer()` in its default mode. */
export function porterStem(word: string): string {
  const irregular = IRREGULAR.get(word);
  if (irregular !== undefined) return irregular;
  if (word.length <= 2) return word;
  let stem = turnFinalY(cutPastAndProgressive(cutPlural(word)));
  stem = applyFirst(shortenLongSuffix(stem), MIDDLE_SUFFIXES);
  stem = applyFirst(stem, SHORT_SUFFIXES);
  return cutFinalL(cutFinalE(stem));
}
