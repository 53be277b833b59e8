import { describe, expect, it } from "vitest";
import { decodeBrainFloats, decodeHalves, encodeBrainFloats, encodeHalves } from "./half.js";

function decode(half: number): number {
  const target = new Float32Array(1);
  decodeHalves(Uint16Array.of(half), target, 0);
  return target[0] as number;
}

const encode = (value: number): number => encodeHalves(Float32Array.of(value))[0] as number;

describe("F16", () => {
  it("each of the 65,536 halves comes back from its float, bit for bit", () => {
    const halves = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const floats = new Float32Array(65536);
    decodeHalves(halves, floats, 0);
    const back = encodeHalves(floats);
    let nan = 0;
    const different: number[] = [];
    for (const half of halves) {
      if (Number.isNaN(floats[half])) {
        nan++;
        if (!Number.isNaN(decode(back[half] as number))) different.push(half);
      } else if (back[half] !== half) different.push(half);
    }
    expect(different).toEqual([]);
    expect(nan).toBe(2 * 1023);
  });

  it("between two neighbours it takes the nearer, at the middle the even one", () => {
    let ties = 0;
    for (let half = 0; half < 0x7bff; half++) {
      const [low, high] = [decode(half), decode(half + 1)];
      const middle = (low + high) / 2; // exact in single precision: one bit more than a half
      expect(encode(middle)).toBe(half % 2 === 0 ? half : half + 1);
      expect(encode(-middle)).toBe(0x8000 | (half % 2 === 0 ? half : half + 1));
      expect(encode(low + (high - low) * 0.49)).toBe(half);
      expect(encode(low + (high - low) * 0.51)).toBe(half + 1);
      ties++;
    }
    expect(ties).toBe(0x7bff);
  });

  it("goes to infinity from 65,520 on, and to zero at 2^-25", () => {
    expect(encode(65519.996)).toBe(0x7bff);
    expect(encode(65520)).toBe(0x7c00);
    expect(encode(-1e30)).toBe(0xfc00);
    expect(encode(Number.POSITIVE_INFINITY)).toBe(0x7c00);
    expect(encode(2 ** -25)).toBe(0);
    expect(encode(2 ** -25 * 1.0001)).toBe(1);
    expect(encode(-(2 ** -149))).toBe(0x8000);
  });
});

describe("BF16", () => {
  it("is the upper half of a float", () => {
    const target = new Float32Array(4);
    decodeBrainFloats(Uint16Array.of(0x3f80, 0xc049, 0x7f80), target, 1);
    expect([...target]).toEqual([0, 1, -3.140625, Number.POSITIVE_INFINITY]);
  });

  it("is the nearest, at the middle the even one; what is not finite stays so", () => {
    const bits = (value: number): number => encodeBrainFloats(Float32Array.of(value))[0] as number;
    // Neighbours of 1 are 1/128 apart.
    expect([1, 1 + 0.49 / 128, 1 + 0.5 / 128, 1 + 0.51 / 128, 1 + 1.5 / 128].map(bits)).toEqual([
      0x3f80, 0x3f80, 0x3f80, 0x3f81, 0x3f82,
    ]);
    expect([-3.140625, Number.NEGATIVE_INFINITY, 3.4e38].map(bits)).toEqual([0xc049, 0xff80, 0x7f80]);
    expect(bits(Number.NaN) & 0x7fff).toBeGreaterThan(0x7f80);
  });
});
