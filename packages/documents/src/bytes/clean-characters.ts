/** Every line ends with `\n`; what a printer takes for a new page, and Unicode's separators, end one too. */
const LINE_ENDS = /\r\n?|[\u2028\u2029\f\v]/g;
/** Control characters but for tab and line feed. */
const CONTROLS = /(?![\n\t])\p{Cc}/gu;
/** Nothing is seen of them: zero-width space, soft hyphen, byte order mark; overrides of the direction of writing. */
const INVISIBLE = /[\u00AD\u200B\u200E\u200F\u202A-\u202E\u2060-\u2064\u2066-\u2069\uFEFF]/g;
/** Spaces of other widths, and those that do not break. */
const SPACES = /(?! )\p{Zs}/gu;
const ASCII_TEXT = /^[\t\n\x20-\x7E]*$/;

/** Text without characters that nobody sees, each kind of space as one. Joiners that shape letters and emoji (U+200C, U+200D) stay. */
export function cleanCharacters(text: string): string {
  if (ASCII_TEXT.test(text)) return text;
  return text.replace(LINE_ENDS, "\n").replace(CONTROLS, "").replace(INVISIBLE, "").replace(SPACES, " ");
}
