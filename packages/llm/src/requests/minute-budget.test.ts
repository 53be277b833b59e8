import { CancelledError } from "@rag-ft/core";
import { describe, expect, it } from "vitest";
import { createMinuteBudget } from "./minute-budget.js";
import { fakeClock } from "./testing/fake-clock.js";

describe("createMinuteBudget", () => {
  it.each([
    ["requests", { requests: 7 }],
    ["tokens", { tokens: 700 }],
  ])("no 60 seconds hold more than the limit of %s, and the limit is used", async (_, limits) => {
    const clock = fakeClock();
    const budget = createMinuteBudget(limits, clock);
    const times: number[] = [];
    for (let i = 0; i < 50; i++) times.push((await budget.take(100)).at);
    for (const [i, at] of times.entries())
      expect(
        times.filter((other) => other >= at && other < at + 60_000).length,
        `from request ${i}`,
      ).toBeLessThanOrEqual(7);
    expect(times.at(-1)).toBeLessThan(7 * 60_100);
  });

  it("counts what was used once it is known, lets an oversized request through alone, and stops when asked to", async () => {
    const clock = fakeClock();
    const budget = createMinuteBudget({ tokens: 100 }, clock);
    const first = await budget.take(90);
    first.tokens = 10;
    expect((await budget.take(90)).at).toBe(0);
    expect((await budget.take(500)).at).toBeGreaterThanOrEqual(60_000);
    const stopped = budget.take(1, AbortSignal.abort());
    await expect(stopped).rejects.toBeInstanceOf(CancelledError);
    expect((await budget.take(1)).at).toBeGreaterThanOrEqual(120_000);
  });
});
