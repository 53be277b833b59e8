import { throwIfCancelled } from "@rag-ft/core";

export interface PoolOptions<R> {
  /** Tasks under way at once, at most. */
  concurrency: number;
  /** Stop once so many results are accepted; all items when left out. */
  needed?: number;
  /** Whether a result counts towards `needed`; every one does when left out. */
  accept?: (result: R) => boolean;
  /** Called after each task, in order of completion. */
  onDone?: (done: number, accepted: number) => void;
  signal: AbortSignal;
}

/**
 * Works through the items in their order, several at once, with the outcome of doing one after the other.
 *
 * 1. A task starts only while accepted results + tasks under way < `needed`. Even if all under way are accepted, one more
 *    is wanted: so exactly those items are worked on that a sequential loop would have reached, none is paid in vain.
 * 2. Results come in the items' order, whatever order they finish in.
 *
 * The first error stops new tasks, waits for those under way (their completions are stored), then is thrown.
 */
export async function runPool<T, R>(
  items: readonly T[],
  work: (item: T, index: number) => Promise<R>,
  options: PoolOptions<R>,
): Promise<R[]> {
  const { concurrency, needed = Number.POSITIVE_INFINITY, accept = () => true, onDone, signal } = options;
  const results: R[] = [];
  const running = new Set<Promise<void>>();
  let next = 0;
  let done = 0;
  let accepted = 0;
  let failure: { error: unknown } | undefined;
  // Not a race of all that runs: that grows with the square of how many there are.
  let wake = (): void => {};

  while (true) {
    while (
      !failure &&
      !signal.aborted &&
      next < items.length &&
      running.size < concurrency &&
      accepted + running.size < needed
    ) {
      const index = next++;
      const task: Promise<void> = (async () => {
        try {
          const result = await work(items[index] as T, index);
          results[index] = result;
          done++;
          if (accept(result)) accepted++;
          onDone?.(done, accepted);
        } catch (error) {
          failure ??= { error };
        }
      })().finally(() => {
        running.delete(task);
        wake();
      });
      running.add(task);
    }
    if (running.size === 0) break;
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
  throwIfCancelled(signal);
  if (failure) throw failure.error;
  return results;
}
