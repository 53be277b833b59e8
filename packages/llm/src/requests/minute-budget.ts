import { setTimeout as wait } from "node:timers/promises";
import { CancelledError } from "@rag-ft/core";

const MINUTE_MS = 60_000;

export interface Clock {
  now(): number;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const realClock: Clock = {
  now: () => performance.now(),
  async sleep(ms, signal) {
    try {
      await wait(ms, undefined, { signal });
    } catch (cause) {
      throw new CancelledError("Stopped on request.", { cause });
    }
  },
};

/** A request that counts in the last minute; its tokens may be put right once they are known. */
export interface Spending {
  readonly at: number;
  tokens: number;
}

export interface MinuteBudget {
  /** Waits, first come first served, until a request of so many tokens fits in the minute that ends now. */
  take(tokens: number, signal?: AbortSignal): Promise<Spending>;
}

export interface MinuteLimits {
  requests?: number;
  tokens?: number;
}

/**
 * Requests and tokens of any 60 seconds stay within limits: a sliding window. (Token buckets, which libraries offer, let
 * up to twice the budget through in a minute.) A request that alone is larger than the budget goes when the window is empty.
 */
export function createMinuteBudget({ requests, tokens }: MinuteLimits, clock: Clock = realClock): MinuteBudget {
  let window: Spending[] = [];
  let last: Promise<unknown> = Promise.resolve();
  const fits = (wanted: number): boolean => {
    if (window.length === 0) return true;
    if (requests !== undefined && window.length >= requests) return false;
    return tokens === undefined || window.reduce((sum, spent) => sum + spent.tokens, wanted) <= tokens;
  };
  const takeNext = async (wanted: number, signal?: AbortSignal): Promise<Spending> => {
    for (;;) {
      const now = clock.now();
      window = window.filter(({ at }) => now - at < MINUTE_MS);
      const first = window[0];
      if (!first || fits(wanted)) break;
      await clock.sleep(first.at + MINUTE_MS - now + 1, signal);
    }
    const spending = { at: clock.now(), tokens: wanted };
    window.push(spending);
    return spending;
  };
  return {
    async take(wanted, signal) {
      if (requests === undefined && tokens === undefined) return { at: clock.now(), tokens: wanted };
      const turn = last.then(() => takeNext(wanted, signal));
      last = turn.catch(() => undefined);
      return turn;
    },
  };
}
