/** Words that can be told apart: a pair of two is one exact double. */
const LIMIT = 2 ** 26;
const EMPTY = -1;

/**
 * Numbers pairs of numbers from 0 in the order in which they are added. A hash table in two typed arrays: a database of 100,000 passages has
 * millions of pairs of words, more than a Map holds in reasonable space.
 */
export class PairNumbers {
  size = 0;
  private keys = new Float64Array(1024).fill(EMPTY);
  private numbers = new Int32Array(1024);

  /** The pair's number, a new one if it was not seen before. Both must be in [0, 2^26). */
  add(left: number, right: number): number {
    // At most half full, so that a search ends soon.
    if (2 * this.size >= this.keys.length) this.grow();
    const key = left * LIMIT + right;
    const place = this.placeOf(key, left, right);
    if (this.keys[place] === EMPTY) {
      this.keys[place] = key;
      this.numbers[place] = this.size++;
    }
    return this.numbers[place] as number;
  }

  /** The pair's number, -1 where it was never added. */
  find(left: number, right: number): number {
    if (left < 0 || right < 0) return -1;
    const place = this.placeOf(left * LIMIT + right, left, right);
    return this.keys[place] === EMPTY ? -1 : (this.numbers[place] as number);
  }

  /** Where a key is, or where it belongs. */
  private placeOf(key: number, left: number, right: number): number {
    const mask = this.keys.length - 1;
    // Both halves times odd constants: words that come together have numbers that lie together.
    const hash = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b);
    let place = (hash ^ (hash >>> 15)) & mask;
    while (this.keys[place] !== EMPTY && this.keys[place] !== key) place = (place + 1) & mask;
    return place;
  }

  private grow(): void {
    const { keys, numbers } = this;
    this.keys = new Float64Array(2 * keys.length).fill(EMPTY);
    this.numbers = new Int32Array(2 * keys.length);
    keys.forEach((key, i) => {
      if (key === EMPTY) return;
      const place = this.placeOf(key, Math.floor(key / LIMIT), key % LIMIT);
      this.keys[place] = key;
      this.numbers[place] = numbers[i] as number;
    });
  }
}
