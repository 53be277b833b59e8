import { UserError } from "@rag-ft/core";
import { describe, expect, it } from "vitest";
import { CompletionError } from "../completion-error.js";
import { createMinuteBudget } from "./minute-budget.js";
import { createRequestTally } from "./request-tally.js";
import { fakeClock } from "./testing/fake-clock.js";
import { createRequestQueue } from "./with-retries.js";

const request = { tokens: 1, signal: undefined };
const busy = (afterMs?: number): CompletionError =>
  new CompletionError("busy", { kind: "rate_limit", retry: afterMs === undefined ? {} : { afterMs } });

function create(random = 0) {
  const clock = fakeClock();
  const tally = createRequestTally();
  const waits: number[] = [];
  const queue = createRequestQueue({
    max_retries: 3,
    budget: createMinuteBudget({}, clock),
    tally,
    clock,
    random: () => random,
    onLongWait: (ms) => waits.push(ms),
  });
  return { clock, tally, queue, waits };
}

/** Fails with each error in turn, then succeeds. */
function failing(...errors: Error[]): () => Promise<string> {
  return async () => {
    const error = errors.shift();
    if (error) throw error;
    return "done";
  };
}

describe("createRequestQueue", () => {
  it("backs off exponentially, less up to a half by chance", async () => {
    const broken = (): CompletionError => new CompletionError("broken", { kind: "server_error", retry: {} });
    const { clock, queue, tally } = create();
    expect(await queue.run(failing(broken(), broken(), broken()), request)).toBe("done");
    expect(clock.slept).toEqual([500, 1000, 2000]);
    expect(tally.counts.tried_again).toEqual({ server_error: 3 });
    const jittered = create(0.5);
    await jittered.queue.run(failing(broken(), broken()), request);
    expect(jittered.clock.slept).toEqual([375, 750]);
  });

  it("never comes back before Retry-After, however long it is", async () => {
    const { clock, queue } = create(0.99);
    await queue.run(failing(busy(90_000)), request);
    expect(clock.slept[0]).toBeGreaterThanOrEqual(90_000);
  });

  it("tells of a long wait once, and sends nothing more after what is permanent", async () => {
    const { clock, queue, waits } = create();
    await queue.run(failing(busy(90_000)), request);
    await queue.run(failing(busy(1000)), request);
    expect(waits).toEqual([90_000]);
    await expect(queue.run(failing(new UserError("wrong key")), request)).rejects.toThrow("wrong key");
    let sent = 0;
    await expect(queue.run(async () => sent++, request)).rejects.toThrow("wrong key");
    expect([sent, clock.slept]).toEqual([0, [90_000, 1000]]);
  });

  it("gives up after max_retries, and at once on what no retry heals", async () => {
    const { clock, queue, tally } = create();
    await expect(queue.run(failing(busy(), busy(), busy(), busy()), request)).rejects.toThrow("busy");
    expect(clock.slept).toHaveLength(3);
    await expect(queue.run(failing(new CompletionError("bad")), request)).rejects.toThrow("bad");
    expect(tally.counts.tried_again).toEqual({ rate_limit: 3 });
  });

  it("holds every request back after three 429 in a row", async () => {
    const { clock, queue } = create();
    await expect(queue.run(failing(busy(10), busy(10), busy(7000), busy(9000)), request)).rejects.toThrow("busy");
    const before = clock.now();
    await queue.run(failing(), request);
    expect(clock.now() - before).toBe(9000);
    const after = clock.now();
    await queue.run(failing(), request);
    expect(clock.now()).toBe(after);
  });
});
