// Python's white space is not JavaScript's: \s takes the byte-order mark for a space.
// biome-ignore lint/suspicious/noControlCharactersInRegex: Python splits at these separators too.
const WHITE_SPACE = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/;

const WHITE_SPACE_AT_END = new RegExp(`${WHITE_SPACE.source}$`);

/** The text without white space at its end, as Python's `str.rstrip()`. */
export function stripEnd(text: string): string {
  return text.replace(WHITE_SPACE_AT_END, "");
}

/** The pieces between white space as Python's `str.split()` cuts them: what the references of metrics start from. */
export function splitWords(text: string): string[] {
  return text.split(WHITE_SPACE).filter((word) => word !== "");
}
