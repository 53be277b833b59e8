/** Characters a token of most texts has at most, in the mean. */
const CHARACTERS_A_TOKEN = 8;

/**
 * Token ids of a text, or of its beginning where that alone has more than `most`: a text of a million characters takes seconds to encode, and
 * nothing else runs meanwhile.
 */
export function encodeUpTo(encode: (text: string) => number[], text: string, most: number): number[] {
  const characters = CHARACTERS_A_TOKEN * (most + 1);
  if (text.length > characters) {
    const beginning = encode(text.slice(0, characters));
    if (beginning.length > most) return beginning;
  }
  return encode(text);
}
