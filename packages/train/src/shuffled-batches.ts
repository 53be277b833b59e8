import { createRandom, deriveSeed, type Random } from "@rag-ft/core";

/** What the seed of a run decides; each has random numbers of its own. */
export const SEEDED = { order: 0, hardNegatives: 1, dropout: 2, distilled: 3 } as const;

/** The seed of one part of what a run's seed decides. */
export function seedFor(seed: number, what: keyof typeof SEEDED, number: number): number {
  return deriveSeed(seed, SEEDED[what], number);
}

/** Random numbers for such a part: the same whenever and in whatever order parts are asked for. */
export function randomFor(seed: number, what: keyof typeof SEEDED, number: number): Random {
  return createRandom(seedFor(seed, what, number));
}

/**
 * Endless batches over shuffled examples: a new order each epoch, a short last batch kept (as Hugging Face's Trainer). A batch is a function
 * of the seed and its number alone, so that a resumed run finds its place without going through those before.
 */
export class ShuffledBatches<T> {
  private epoch = -1;
  private order: readonly T[] = [];

  constructor(
    private readonly examples: readonly T[],
    private readonly size: number,
    private readonly seed: number,
  ) {}

  /** The batch of this number, counted from 0. */
  at(number: number): T[] {
    const perEpoch = Math.ceil(this.examples.length / this.size);
    const epoch = Math.floor(number / perEpoch);
    if (epoch !== this.epoch) {
      this.order = randomFor(this.seed, "order", epoch).shuffle(this.examples);
      this.epoch = epoch;
    }
    const start = (number % perEpoch) * this.size;
    return this.order.slice(start, start + this.size);
  }
}
