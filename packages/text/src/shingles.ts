import { words } from "./words.js";

/** Words of a shingle. Three tell texts apart that share only their vocabulary, and still match around a changed word. */
export const SHINGLE_SIZE = 3;

/**
 * The shingles (runs of `size` words) of a text as numbers, sorted, each once: a shingle that comes again counts as another one,
 * so that the common part of two texts is that of their multisets. Numbers are 53-bit hashes: among the 15 million of 100,000
 * passages, two different shingles share one with a chance of about 1 %.
 */
export type Shingles = Float64Array;

const TWO_32 = 2 ** 32;

/** One round of MurmurHash3's mixing (Austin Appleby) with a constant of its own for each of the two halves. */
function absorb(hash: number, value: number, constant: number): number {
  const mixed = Math.imul(hash ^ value, constant);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}

function wordHash(word: string, constant: number): number {
  let hash = word.length;
  for (let i = 0; i < word.length; i++) hash = absorb(hash, word.charCodeAt(i), constant);
  return hash;
}

const HIGH = 0x85ebca6b;
const LOW = 0xc2b2ae35;
const toKey = (high: number, low: number): number => (high >>> 11) * TWO_32 + low;

/** The key of the n-th further occurrence of a shingle in its text. */
function repeatedKey(key: number, occurrence: number): number {
  const high = Math.floor(key / TWO_32);
  const low = key % TWO_32;
  return toKey(absorb(absorb(high, low, HIGH), occurrence, HIGH), absorb(absorb(low, high, LOW), occurrence, LOW));
}

/** Shingles of a list of words; of fewer than `size` words, the one that all of them make. None without a word. */
export function shinglesOf(list: readonly string[], size = SHINGLE_SIZE): Shingles {
  if (list.length === 0) return new Float64Array(0);
  const highs = list.map((word) => wordHash(word, HIGH));
  const lows = list.map((word) => wordHash(word, LOW));
  const length = Math.min(size, list.length);
  const keys = new Float64Array(list.length - length + 1);
  const seen = new Map<number, number>();
  for (let start = 0; start < keys.length; start++) {
    let high = length;
    let low = length;
    for (let i = start; i < start + length; i++) {
      high = absorb(high, highs[i] as number, HIGH);
      low = absorb(low, lows[i] as number, LOW);
    }
    const key = toKey(high, low);
    const before = seen.get(key) ?? 0;
    seen.set(key, before + 1);
    keys[start] = before === 0 ? key : repeatedKey(key, before);
  }
  return keys.sort();
}

/** Shingles of a text. */
export const shingles = (text: string, size = SHINGLE_SIZE): Shingles => shinglesOf(words(text), size);

/** Share of a's shingles that b also has, in [0, 1]: containment (Broder 1997). 0 when a has none. O(a + b). */
export function containment(a: Shingles, b: Shingles): number {
  let common = 0;
  let j = 0;
  for (let i = 0; i < a.length; i++) {
    const key = a[i] as number;
    while (j < b.length && (b[j] as number) < key) j++;
    if (j < b.length && b[j] === key) common++;
  }
  return a.length === 0 ? 0 : common / a.length;
}

/** Share above which a text counts as contained in another. */
export const CONTAINED_ABOVE = 0.8;

/** Whether one of two texts is contained in the other: more than `above` of its shingles are there. */
export function areNear(a: Shingles, b: Shingles, above = CONTAINED_ABOVE): boolean {
  return containment(a, b) > above || containment(b, a) > above;
}
