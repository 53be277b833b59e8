import { expect, it } from "vitest";
import { ActivationMemory } from "./activation-memory.js";

it("gives arrays that do not overlap, as long as there is room for all that are asked for", () => {
  const memory = new ActivationMemory(1024);
  const [a, b] = memory.take([10, 20]) as [Float32Array, Float32Array];
  a.fill(1);
  b.fill(2);
  expect([a.length, b.length]).toEqual([10, 20]);
  expect(new Set(a)).toEqual(new Set([1]));
  expect(memory.take([100, 200])).toBeUndefined();
  expect(memory.take([200])).toHaveLength(1);
  expect(memory.take([16])).toBeUndefined();
});

it("gives the same memory again when all is free", () => {
  const memory = new ActivationMemory(1024);
  memory.take([10])?.[0]?.fill(7);
  memory.clear();
  expect(memory.take([3])?.[0]).toEqual(Float32Array.of(7, 7, 7));
});

it("gives nothing when it has nothing", () => {
  expect(new ActivationMemory(0).take([1])).toBeUndefined();
});
