import { setImmediate } from "node:timers/promises";
import { throwIfCancelled } from "@rag-ft/core";

/** Milliseconds of work after which others may work: a request to stop is heard this soon. */
const LONGEST = 100;

/** A function to call often during long work: now and then it lets others work, and it throws `CancelledError` at an aborted signal. */
export function turnTaker(signal: AbortSignal): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last > LONGEST) {
      await setImmediate();
      last = performance.now();
    }
    throwIfCancelled(signal);
  };
}
