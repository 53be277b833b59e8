import { expect, test } from "vitest";
import { busyElsewhere, cpuTimes } from "./busy-elsewhere.js";

const core = (user: number, idle: number) => ({ times: { user, nice: 0, sys: 0, irq: 0, idle } });

test("what other processes use is what the machine works beyond this one", () => {
  const from = cpuTimes([core(100, 900), core(0, 1000)], { user: 50_000, system: 0 });
  expect(from).toEqual({ all: 2000, busy: 100, own: 50 });
  // A second later both cores have worked all the time, and this process half of it.
  const to = cpuTimes([core(1100, 900), core(1000, 1000)], { user: 950_000, system: 100_000 });
  expect(busyElsewhere(from, to, 2)).toBeCloseTo(1, 10);
  expect(busyElsewhere(from, from, 2)).toBe(0);
  // Another clock may run a little ahead: never below 0.
  expect(busyElsewhere(from, { all: 4000, busy: 600, own: 1050 }, 2)).toBe(0);
});

test("this machine's times can be read", () => {
  const { all, busy, own } = cpuTimes();
  expect(all).toBeGreaterThan(0);
  expect(busy).toBeLessThanOrEqual(all);
  expect(own).toBeGreaterThan(0);
});
