import PQueue from "p-queue";

/** A request that finds the queue full. */
export class QueueFull extends Error {
  /** @param retryAfter Seconds until there should be room. */
  constructor(readonly retryAfter: number) {
    super("Too many requests are waiting.");
  }
}

export interface AnswerQueueOptions {
  /** Answers made at once. */
  concurrency: number;
  /** Requests that may wait. */
  most: number;
}

/** What part of the time since is forgotten with each answer, in the mean time of one. */
const FORGETTING = 0.2;

/** What a request does: what may be done ahead of its turn, then, when `turn` resolves, the rest. */
export type TurnWork<T> = (turn: () => Promise<void>) => Promise<T>;

/**
 * Requests in a row. As many answers are made at once as there are places; as many further requests, those that come next, may already do what needs no place: their
 * search. Clients take turns: a request goes before those of clients that have more of them here, so that one who sends a hundred does not keep
 * out the next; of one client they keep their order.
 */
export class AnswerQueue {
  /** Requests at work, those ahead of their turn included. */
  private readonly queue: PQueue;
  /** Those that have a place. */
  private readonly places: PQueue;
  private readonly most: number;
  private readonly ofClient = new Map<string, number>();
  private meanSeconds = 1;

  constructor({ concurrency, most }: AnswerQueueOptions) {
    this.queue = new PQueue({ concurrency: 2 * concurrency });
    this.places = new PQueue({ concurrency });
    this.most = most;
  }

  get waiting(): number {
    return this.queue.size + this.queue.pending - this.running;
  }

  get running(): number {
    return Math.min(this.queue.pending, this.places.concurrency);
  }

  /** @throws QueueFull when too many wait. */
  requireRoom(): void {
    if (this.running >= this.places.concurrency && this.waiting >= this.most)
      throw new QueueFull(this.secondsUntilRoom());
  }

  /**
   * Begins the work when its turn is near; not at all where `signal` was aborted before that. What comes after `turn` is done in a place, which is free again when
   * the work has ended.
   *
   * @throws QueueFull at once when too many wait; what the work throws, or the signal's reason.
   */
  async run<T>(client: string, signal: AbortSignal, work: TurnWork<T>): Promise<T> {
    this.requireRoom();
    const before = this.ofClient.get(client) ?? 0;
    this.ofClient.set(client, before + 1);
    try {
      return await this.queue.add(() => this.inPlace(signal, work), { priority: -before, signal });
    } finally {
      const left = (this.ofClient.get(client) ?? 1) - 1;
      if (left > 0) this.ofClient.set(client, left);
      else this.ofClient.delete(client);
    }
  }

  private secondsUntilRoom(): number {
    const inRow = this.queue.size + this.queue.pending;
    return Math.max(1, Math.ceil((this.meanSeconds * inRow) / this.places.concurrency));
  }

  private async inPlace<T>(signal: AbortSignal, work: TurnWork<T>): Promise<T> {
    let leave = (): void => {};
    let startedAt = performance.now();
    const turn = (): Promise<void> =>
      new Promise((resolve, reject) => {
        const held = async (): Promise<void> => {
          startedAt = performance.now();
          const left = new Promise<void>((done) => {
            leave = done;
          });
          resolve();
          await left;
        };
        this.places.add(held, { signal }).catch(reject);
      });
    try {
      return await work(turn);
    } finally {
      leave();
      const seconds = (performance.now() - startedAt) / 1000;
      this.meanSeconds += FORGETTING * (seconds - this.meanSeconds);
    }
  }
}
