import { setTimeout as delay } from "node:timers/promises";
import { CancelledError } from "@rag-ft/core";
import { FetchError } from "./fetch-page.js";
import type { SiteLimits } from "./site-limits.js";

/** First wait; each next one is twice as long. */
const FIRST_WAIT_MS = 500;

/**
 * Requests to one site: what is likely to be better soon (too many requests, a fault of the server, a lost connection) is asked for again,
 * after as long as the server says, else after 0.5, 1, 2 … seconds, each less up to a half. While a server says that it is asked too much, all
 * requests to it wait.
 */
export class Patience {
  private pausedUntil = 0;

  constructor(
    private readonly limits: Pick<SiteLimits, "tries" | "waitSeconds">,
    private readonly signal: AbortSignal,
  ) {}

  /** @throws CancelledError when the run is asked to stop */
  async sleep(milliseconds: number): Promise<void> {
    await delay(Math.max(0, milliseconds), undefined, { signal: this.signal }).catch(() => {
      throw new CancelledError("Stopped on request.");
    });
  }

  /** @throws FetchError after the last try, or when the server asks for a longer wait than is made */
  async run<T>(attempt: () => Promise<T>): Promise<T> {
    const most = this.limits.waitSeconds * 1000;
    for (let tries = 1; ; tries++) {
      while (this.pausedUntil > Date.now()) await this.sleep(this.pausedUntil - Date.now());
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof FetchError) || error.again === undefined) throw error;
        const { afterMs, all } = error.again;
        if (afterMs !== undefined && afterMs > most) {
          throw new FetchError(`${error.message} and asks to wait ${Math.ceil(afterMs / 1000)} seconds`);
        }
        if (tries >= this.limits.tries)
          throw tries > 1 ? new FetchError(`${error.message}, ${tries} times`, error) : error;
        const wait = afterMs ?? Math.min(most, FIRST_WAIT_MS * 2 ** (tries - 1)) * (1 - Math.random() / 2);
        if (all) this.pausedUntil = Math.max(this.pausedUntil, Date.now() + wait);
        else await this.sleep(wait);
      }
    }
  }
}
