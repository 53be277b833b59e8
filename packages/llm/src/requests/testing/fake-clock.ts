import { CancelledError } from "@rag-ft/core";
import type { Clock } from "../minute-budget.js";

/** A clock that moves only by sleeping; `slept` has the naps in order. */
export function fakeClock(): Clock & { slept: number[] } {
  let now = 0;
  const slept: number[] = [];
  return {
    slept,
    now: () => now,
    async sleep(ms, signal) {
      if (signal?.aborted) throw new CancelledError("Stopped on request.");
      slept.push(ms);
      now += ms;
    },
  };
}
