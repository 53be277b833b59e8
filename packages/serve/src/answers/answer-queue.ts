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

/**
 * Requests in a row. Clients take turns: a request goes before those of clients that have more of them here, so that one who sends a hundred does not keep
 * out the next; of one client they keep their order.
 */
export class AnswerQueue {
  private readonly queue: PQueue;
  private readonly most: number;
  private readonly ofClient = new Map<string, number>();
  private meanSeconds = 1;

  constructor({ concurrency, most }: AnswerQueueOptions) {
    this.queue = new PQueue({ concurrency });
    this.most = most;
  }

  get waiting(): number {
    return this.queue.size;
  }

  get running(): number {
    return this.queue.pending;
  }

  /**
   * Does the work when its turn has come; not at all where `signal` was aborted before that.
   *
   * @throws QueueFull at once when too many wait; what the work throws, or the signal's reason.
   */
  async run<T>(client: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const busy = this.queue.pending >= this.queue.concurrency;
    if (busy && this.queue.size >= this.most) throw new QueueFull(this.secondsUntilRoom());
    const before = this.ofClient.get(client) ?? 0;
    this.ofClient.set(client, before + 1);
    try {
      return await this.queue.add(() => this.timed(work), { priority: -before, signal });
    } finally {
      const left = (this.ofClient.get(client) ?? 1) - 1;
      if (left > 0) this.ofClient.set(client, left);
      else this.ofClient.delete(client);
    }
  }

  private secondsUntilRoom(): number {
    const inRow = this.queue.size + this.queue.pending;
    return Math.max(1, Math.ceil((this.meanSeconds * inRow) / this.queue.concurrency));
  }

  private async timed<T>(work: () => Promise<T>): Promise<T> {
    const startedAt = performance.now();
    try {
      return await work();
    } finally {
      const seconds = (performance.now() - startedAt) / 1000;
      this.meanSeconds += FORGETTING * (seconds - this.meanSeconds);
    }
  }
}
