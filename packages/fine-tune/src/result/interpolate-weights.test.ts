import { expect, it } from "vitest";
import { copyValues, interpolateWeights } from "./interpolate-weights.js";

const weights = (...values: number[]) => new Map([["w", { data: Float32Array.from(values) }]]);
const valuesOf = (map: ReturnType<typeof weights>): Float32Array => map.get("w")?.data as Float32Array;

it("alpha 0 is the base and 1 the tuned model, bit for bit; between them lies the share", () => {
  const base = weights(0.1, -0, 3e38, 1);
  const tuned = weights(-0.3, 0, 3e38, 3);
  const target = weights(9, 9, 9, 9);
  interpolateWeights(target, base, tuned, 0);
  expect(valuesOf(target)).toEqual(valuesOf(base));
  interpolateWeights(target, base, tuned, 1);
  expect(valuesOf(target)).toEqual(valuesOf(tuned));
  interpolateWeights(target, base, tuned, 0.25);
  expect([...valuesOf(target)]).toEqual([
    Math.fround(0.75 * Math.fround(0.1) + 0.25 * Math.fround(-0.3)),
    0,
    Math.fround(3e38),
    1.5,
  ]);
});

it("copies stay when the model changes; models of different weights are refused", () => {
  const model = weights(1, 2);
  const copy = copyValues(model);
  valuesOf(model).fill(7);
  expect([...(copy.get("w")?.data ?? [])]).toEqual([1, 2]);
  expect(() => interpolateWeights(model, weights(1), copy, 0.5)).toThrow(/No weight w of 2 values/);
});
