/** A seeded source of random numbers; the same seed gives the same sequence on every machine. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** Uniform integer in [0, bound). */
  integer(bound: number): number;
  /** A shuffled copy (Fisher-Yates). */
  shuffle<T>(items: readonly T[]): T[];
  /** `count` distinct items, in random order; all of them when there are fewer. */
  sample<T>(items: readonly T[], count: number): T[];
}

/** mulberry32 (Tommy Ettinger): 32 bits of state, ample for shuffling and sampling; not for cryptography. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const integer = (bound: number): number => Math.floor(next() * bound);
  const shuffle = <T>(items: readonly T[]): T[] => {
    const copy = [...items];
    for (let i = copy.length - 1; i > 0; i--) {
      const j = integer(i + 1);
      const held = copy[i] as T;
      copy[i] = copy[j] as T;
      copy[j] = held;
    }
    return copy;
  };
  return { next, integer, shuffle, sample: (items, count) => shuffle(items).slice(0, count) };
}

/** The last step of MurmurHash3 (Austin Appleby): every bit of the result depends on every bit of `value`. */
function mix(value: number): number {
  let hash = value >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/**
 * A seed for one of many parts that `seed` decides, such as an epoch's order: parts are random independently of each other, and
 * none needs those before it to be drawn.
 */
export function deriveSeed(seed: number, ...part: readonly number[]): number {
  // Seed and numbers must not be interchangeable, hence the factor (an odd number near 2³² / φ).
  return part.reduce((hash, number) => mix(Math.imul(hash, 0x9e3779b1) + mix(number) + 1), mix(seed));
}
