import { throwIfCancelled, UserError } from "@rag-ft/core";
import { CompletionError } from "../completion-error.js";
import { type Clock, type MinuteBudget, realClock, type Spending } from "./minute-budget.js";
import type { RequestTally } from "./request-tally.js";

/** First wait, and the longest that we choose ourselves; a longer one only when the server asks for it. */
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
/** So many 429 with no reply between them hold every request back, not only those that met one. */
const PAUSE_AFTER = 3;
/** A wait that the user should hear of. */
const LONG_WAIT_MS = 60_000;

export interface RetryOptions {
  /** Attempts after the first. */
  max_retries: number;
  budget: MinuteBudget;
  tally: RequestTally;
  /** Called when a server asks for a long wait, at most once in that time. */
  onLongWait?: (ms: number) => void;
  clock?: Clock;
  /** In [0, 1). */
  random?: () => number;
}

export interface RequestQueue {
  /** Makes the attempt, and again after a `CompletionError` with `retry`. `tokens`: what the request may use, at most. */
  run<T>(
    attempt: (spending: Spending) => Promise<T>,
    request: { tokens: number; signal: AbortSignal | undefined },
  ): Promise<T>;
}

/**
 * Exponential backoff with jitter: 0.5, 1, 2, 4 … 30 s, each less up to a half, or at least as long as `Retry-After` says.
 * One queue for all requests to a server: it shares the budget and the pause.
 */
export function createRequestQueue(options: RetryOptions): RequestQueue {
  const { max_retries, budget, tally, onLongWait, clock = realClock, random = Math.random } = options;
  let pausedUntil = 0;
  let limitedInARow = 0;
  let quietUntil = 0;
  /** What no further request would survive: a refused key, an unknown model. */
  let permanent: UserError | undefined;

  const waitMs = (retries: number, afterMs: number | undefined): number => {
    const jitter = random() / 2;
    // What the server asks for is a minimum: the jitter comes on top, so that not all come back in one moment.
    if (afterMs !== undefined) return afterMs + jitter * Math.min(afterMs, FIRST_WAIT_MS);
    return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** retries) * (1 - jitter);
  };
  const failed = (error: CompletionError, ms: number): void => {
    limitedInARow = error.kind === "rate_limit" ? limitedInARow + 1 : 0;
    if (ms >= LONG_WAIT_MS && clock.now() >= quietUntil) {
      quietUntil = clock.now() + ms;
      onLongWait?.(ms);
    }
    if (limitedInARow >= PAUSE_AFTER) pausedUntil = Math.max(pausedUntil, clock.now() + ms);
  };

  return {
    async run(attempt, { tokens, signal }) {
      for (let retries = 0; ; retries++) {
        for (let rest = pausedUntil - clock.now(); rest > 0; rest = pausedUntil - clock.now()) {
          await clock.sleep(rest, signal);
        }
        const spending = await budget.take(tokens, signal);
        if (signal) throwIfCancelled(signal);
        if (permanent) throw permanent;
        try {
          const result = await attempt(spending);
          limitedInARow = 0;
          return result;
        } catch (error) {
          if (error instanceof UserError) permanent = error;
          if (!(error instanceof CompletionError) || !error.retry) throw error;
          if (error.retry.elsewhere) {
            // No wait, and no retry of those that are counted: each server is asked once before that.
            tally.problem(error.kind, "tried_again");
            retries--;
            continue;
          }
          const ms = waitMs(retries, error.retry.afterMs);
          failed(error, ms);
          if (retries >= max_retries) throw error;
          tally.problem(error.kind, "tried_again");
          await clock.sleep(ms, signal);
        }
      }
    },
  };
}
