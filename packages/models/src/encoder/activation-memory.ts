/** Memory is taken in blocks of this size, as it is needed: a block is the longest stretch for one tensor. */
const BLOCK_BYTES = 2 ** 28;
/** Tensors begin at cache lines. */
const ALIGNMENT = 64;

/** The memory of a step's activations, in arrays that every step uses again: fresh ones would cost a page fault each 4 kB. */
export class ActivationMemory {
  private readonly blocks: Float32Array[] = [];
  private readonly floats: number[];
  private block = 0;
  private used = 0;

  constructor(bytes: number) {
    const whole = Math.floor(bytes / BLOCK_BYTES);
    const rest = Math.floor((bytes % BLOCK_BYTES) / ALIGNMENT) * ALIGNMENT;
    this.floats = [...new Array(whole).fill(BLOCK_BYTES / 4), ...(rest > 0 ? [rest / 4] : [])];
  }

  /** Arrays of these lengths, or undefined when there is no room for all of them. */
  take(lengths: readonly number[]): Float32Array[] | undefined {
    const before = { block: this.block, used: this.used };
    const taken: Float32Array[] = [];
    for (const length of lengths) {
      while (this.block < this.floats.length && this.used + length > (this.floats[this.block] as number)) {
        this.block++;
        this.used = 0;
      }
      const size = this.floats[this.block];
      if (size === undefined) {
        Object.assign(this, before);
        return undefined;
      }
      const array = this.blocks[this.block] ?? new Float32Array(size);
      this.blocks[this.block] = array;
      taken.push(array.subarray(this.used, this.used + length));
      this.used += Math.ceil((length * 4) / ALIGNMENT) * (ALIGNMENT / 4);
    }
    return taken;
  }

  /** Makes all room free again: the arrays given out are no longer their takers'. */
  clear(): void {
    this.block = 0;
    this.used = 0;
  }
}
