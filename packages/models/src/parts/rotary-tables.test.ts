import { expect, it } from "vitest";
import { rotaryFrequencies } from "./rotary-tables.js";

const settings = { theta: 10_000, size: 8, positions: 64 };

it("a scaling by 1 changes nothing, dynamic scaling nothing within the positions", () => {
  const { inverse } = rotaryFrequencies(settings);
  expect(inverse[0]).toBe(1);
  expect(inverse[3]).toBeCloseTo(1e-3, 12);
  const scalings = [
    { rope_type: "linear", factor: 1 },
    { rope_type: "dynamic", factor: 8 },
    { rope_type: "yarn", factor: 1 },
  ] as const;
  for (const scaling of scalings) {
    const made = rotaryFrequencies({ ...settings, scaling });
    expect(made.amplitude).toBe(1);
    made.inverse.forEach((frequency, i) => {
      expect(frequency).toBeCloseTo(inverse[i] as number, 12);
    });
  }
});

it("YaRN leaves fast frequencies, divides slow ones by its factor, and lengthens queries and keys", () => {
  const scaling = { rope_type: "yarn", factor: 4, beta_fast: 4, beta_slow: 2 } as const;
  const plain = rotaryFrequencies(settings).inverse;
  const { inverse, amplitude } = rotaryFrequencies({ ...settings, scaling });
  expect(inverse[0]).toBe(plain[0]);
  expect(inverse[3]).toBeCloseTo((plain[3] as number) / 4, 12);
  expect(amplitude).toBeCloseTo(1 + 0.1 * Math.log(4), 12);
});
