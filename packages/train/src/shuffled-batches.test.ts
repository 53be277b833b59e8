import { expect, it } from "vitest";
import { randomFor, ShuffledBatches } from "./shuffled-batches.js";

const items = Array.from({ length: 7 }, (_, i) => i);

it("batches go through all examples each epoch, in a new order, a short last one kept", () => {
  const batches = new ShuffledBatches(items, 3, 42);
  const epochs = [0, 1, 2].map((epoch) => [0, 1, 2].map((i) => batches.at(epoch * 3 + i)));
  for (const epoch of epochs) {
    expect(epoch.map((batch) => batch.length)).toEqual([3, 3, 1]);
    expect(epoch.flat().sort()).toEqual(items);
  }
  expect(new Set(epochs.map((epoch) => epoch.flat().join())).size).toBe(3);
});

it("a batch depends on seed and number alone, not on those asked for before", () => {
  const all = Array.from({ length: 12 }, (_, i) => new ShuffledBatches(items, 3, 42).at(i));
  const backwards = new ShuffledBatches(items, 3, 42);
  for (let i = 11; i >= 0; i--) expect(backwards.at(i)).toEqual(all[i]);
  expect(new ShuffledBatches(items, 3, 43).at(0)).not.toEqual(all[0]);
});

it("order and hard negatives do not share their random numbers", () => {
  expect(randomFor(42, "order", 5).next()).not.toBe(randomFor(42, "hardNegatives", 5).next());
  expect(randomFor(42, "order", 5).next()).toBe(randomFor(42, "order", 5).next());
});
