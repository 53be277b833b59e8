import type { Io } from "./io.js";

export interface Interrupt {
  signal: AbortSignal;
  /** Stops listening. */
  dispose(): void;
}

/** Exit code of a process stopped by the user: 128 + SIGINT. */
const STOPPED = 130;

/** First Ctrl-C: the stage is asked to stop at its next safe point. Second: the process ends at once. */
export function listenForInterrupt(io: Io): Interrupt {
  const controller = new AbortController();
  const dispose = io.onInterrupt(() => {
    if (controller.signal.aborted) {
      io.exit(STOPPED);
      return;
    }
    io.err("\nstopping at the next safe point; press again to stop at once\n");
    controller.abort();
  });
  return { signal: controller.signal, dispose };
}
