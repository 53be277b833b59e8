import { DataError } from "@rag-ft/core";

/** Characters that stand alone as a grapheme between others of their kind: printable ASCII. */
const BEYOND_ASCII = /(?:[ -~]?[^ -~]+)+[ -~]?/g;

/** Only graphemes shorter than this many bytes are looked up as a whole; in longer ones each character is on its own. */
const WHOLE_GRAPHEME_BYTES = 6;

/** A unit of the double-array trie (Aoe 1989, in darts-clone's packing): label in bits 0-7, leaf flag, shift flag, offset. */
const label = (unit: number): number => (unit & 0x8000_00ff) >>> 0;
const hasLeaf = (unit: number): boolean => ((unit >>> 8) & 1) === 1;
const offset = (unit: number): number => ((unit >>> 10) << ((unit & 0x200) >>> 6)) >>> 0;
const leafValue = (unit: number): number => unit & 0x7fff_ffff;

/**
 * The character map of SentencePiece models (`precompiled_charsmap` of a tokenizer.json, base64), as a function on texts. It holds the length of
 * a trie in bytes, the trie from UTF-8 strings to places, and the replacements at those places, each ended by a zero byte.
 *
 * As in Python's tokenizers: graphemes are looked up first, then their characters, and the shortest entry that begins with it
 * counts for the whole of what was looked up.
 *
 * @throws DataError when it is not such a map.
 */
export function readCharacterMap(base64: string): (text: string) => string {
  const bytes = Buffer.from(base64, "base64");
  const trieBytes = bytes.length >= 4 ? bytes.readUInt32LE(0) : Number.POSITIVE_INFINITY;
  if (trieBytes % 4 !== 0 || trieBytes === 0 || 4 + trieBytes > bytes.length) {
    throw new DataError("precompiled_charsmap is cut short or not a character map");
  }
  const units = Uint32Array.from({ length: trieBytes / 4 }, (_, i) => bytes.readUInt32LE(4 + i * 4));
  const replacements = bytes.subarray(4 + trieBytes);

  const find = (key: Uint8Array): string | undefined => {
    let at = offset(units[0] as number);
    for (const byte of key) {
      if (byte === 0) return undefined;
      at ^= byte;
      const unit = units[at];
      if (unit === undefined || label(unit) !== byte) return undefined;
      at ^= offset(unit);
      if (hasLeaf(unit)) {
        const start = leafValue(units[at] ?? 0);
        const end = replacements.indexOf(0, start);
        return replacements.toString("utf8", start, end < 0 ? undefined : end);
      }
    }
    return undefined;
  };
  const known = new Map<string, string | undefined>();
  const lookUp = (part: string): string | undefined => {
    if (!known.has(part)) known.set(part, find(Buffer.from(part)));
    return known.get(part);
  };
  const graphemes = new Intl.Segmenter("und", { granularity: "grapheme" });
  const mapGrapheme = (grapheme: string): string => {
    if (Buffer.byteLength(grapheme) < WHOLE_GRAPHEME_BYTES) {
      const whole = lookUp(grapheme);
      if (whole !== undefined) return whole;
    }
    return Array.from(grapheme, (character) => lookUp(character) ?? character).join("");
  };
  const mapAll = (text: string): string =>
    Array.from(graphemes.segment(text), ({ segment }) => mapGrapheme(segment)).join("");
  const keepsAscii = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).every(
    (character) => (lookUp(character) ?? character) === character,
  );
  return keepsAscii ? (text) => text.replace(BEYOND_ASCII, mapAll) : mapAll;
}
