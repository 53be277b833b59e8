/** Numbers → consecutive places. Open addressing: a Map of millions of numbers takes several times the memory. */
export class KeyTable {
  private readonly keys: Float64Array;
  private readonly places: Int32Array;
  private readonly mask: number;
  size = 0;

  constructor(atMost: number) {
    const capacity = 2 ** Math.ceil(Math.log2(Math.max(2, atMost * 2)));
    this.mask = capacity - 1;
    this.keys = new Float64Array(capacity).fill(-1);
    this.places = new Int32Array(capacity);
  }

  private slot(key: number): number {
    let slot = ((key % 0x100000000) ^ (key / 0x100000000)) & this.mask;
    while (this.keys[slot] !== -1 && this.keys[slot] !== key) slot = (slot + 1) & this.mask;
    return slot;
  }

  add(key: number): void {
    const slot = this.slot(key);
    if (this.keys[slot] === key) return;
    this.keys[slot] = key;
    this.places[slot] = this.size++;
  }

  /** The key's place, -1 when it was never added. */
  find(key: number): number {
    const slot = this.slot(key);
    return this.keys[slot] === key ? (this.places[slot] as number) : -1;
  }
}
