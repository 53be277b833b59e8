import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { runPool } from "./run-pool.js";

const signal = new AbortController().signal;
const items = Array.from({ length: 40 }, (_, i) => i);

describe("runPool", () => {
  it.each([1, 3, 8, 100])(
    "with %i at once it works on the items that a loop would have reached, no more",
    async (concurrency) => {
      const worked: number[] = [];
      let running = 0;
      let most = 0;
      const results = await runPool(
        items,
        async (item) => {
          worked.push(item);
          most = Math.max(most, ++running);
          await sleep((item * 7) % 5);
          running--;
          return item % 3 === 0 ? item : undefined;
        },
        { concurrency, needed: 5, accept: (result) => result !== undefined, signal },
      );
      // 0, 3, 6, 9, 12 are accepted: a loop stops after 12.
      expect(worked).toEqual(items.slice(0, 13));
      expect(results).toEqual(items.slice(0, 13).map((item) => (item % 3 === 0 ? item : undefined)));
      expect(most).toBeLessThanOrEqual(Math.min(concurrency, 5));
      expect(most).toBeGreaterThanOrEqual(Math.min(concurrency, 2));
    },
  );

  it("throws the first error after what is under way has ended, and starts nothing more", async () => {
    const ended: number[] = [];
    const started: number[] = [];
    await expect(
      runPool(
        items,
        async (item) => {
          started.push(item);
          await sleep(item === 1 ? 1 : 15);
          if (item === 1) throw new Error("bad one");
          ended.push(item);
        },
        { concurrency: 4, signal },
      ),
    ).rejects.toThrow("bad one");
    expect(started).toEqual([0, 1, 2, 3]);
    expect(ended.sort()).toEqual([0, 2, 3]);
  });

  it("stops on request", async () => {
    const controller = new AbortController();
    const work = runPool(items, async (item) => item === 3 && controller.abort(), {
      concurrency: 1,
      signal: controller.signal,
    });
    await expect(work).rejects.toThrow(/Stopped/);
  });
});
