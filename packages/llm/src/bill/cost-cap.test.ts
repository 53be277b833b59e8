import { setImmediate as tick } from "node:timers/promises";
import { createRandom } from "@rag-ft/core";
import { describe, expect, it } from "vitest";
import { CostCapError, createCostCap } from "./cost-cap.js";

describe("createCostCap", () => {
  it.each([0, 1, 2, 3, 4])(
    "is never passed, whatever order requests end in, and nearly used up (seed %i)",
    async (seed) => {
      const random = createRandom(seed);
      const cap = createCostCap(10, 2);
      let paid = 2;
      let most = 0;
      const one = async (): Promise<void> => {
        const bound = 0.05 + random.next() * 0.1;
        const reservation = await cap.reserve(bound);
        for (let wait = random.integer(5); wait > 0; wait--) await tick();
        const cost = bound * random.next();
        paid += cost;
        most = Math.max(most, paid);
        reservation.settle(cost);
      };
      const ends = await Promise.allSettled(Array.from({ length: 600 }, one));
      const refused = ends.filter((end) => end.status === "rejected");
      expect(refused.length).toBeGreaterThan(0);
      for (const { reason } of refused) expect(reason).toBeInstanceOf(CostCapError);
      expect(most).toBeLessThanOrEqual(10);
      expect(most).toBeGreaterThan(9.8);
    },
  );

  it("lets a request wait for the change of those before it, and says what to do when there is none", async () => {
    const cap = createCostCap(1);
    const first = await cap.reserve(0.9);
    const second = cap.reserve(0.5);
    first.settle(0.1);
    first.settle(0.1);
    (await second).settle(0.5);
    await expect(cap.reserve(0.5)).rejects.toThrow(/--max_cost 1: 0\.6000 USD are spent.*higher --max_cost goes on/);
  });
});
