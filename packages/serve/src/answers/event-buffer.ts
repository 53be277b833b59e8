/**
 * What one makes and another takes at its own pace. The maker never waits: a client that does not read must not keep the generator from the next one.
 * What it holds is bounded by the length of an answer.
 */
export class EventBuffer<T> implements AsyncIterable<T> {
  private readonly held: T[] = [];
  private ended = false;
  private failure: { error: unknown } | undefined;
  private wake = (): void => {};

  push(event: T): void {
    this.held.push(event);
    this.wake();
  }

  end(): void {
    this.ended = true;
    this.wake();
  }

  fail(error: unknown): void {
    this.failure = { error };
    this.end();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      while (this.held.length > 0) yield* this.held.splice(0);
      if (this.failure) throw this.failure.error;
      if (this.ended) return;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }
}
