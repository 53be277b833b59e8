/** Counts how often each key comes. */
export interface Occurrences {
  /** How many times a key has come, this time included. */
  next(key: string): number;
}

/** Counted in memory, which holds each key once. */
export class CountedOccurrences implements Occurrences {
  private readonly counts = new Map<string, number>();

  next(key: string): number {
    const count = (this.counts.get(key) ?? 0) + 1;
    this.counts.set(key, count);
    return count;
  }
}
