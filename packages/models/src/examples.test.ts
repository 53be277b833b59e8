import { expect, it, vi } from "vitest";

// The examples of docs/engine.md, as they stand.
const run = (name: string): Promise<Record<string, unknown>> => {
  vi.spyOn(console, "log").mockImplementation(() => {});
  return import(new URL(`../examples/${name}.mjs`, import.meta.url).href);
};

it("a model trained from nothing learns the sine", async () => {
  const { losses, sineOfOne } = (await run("own-model")) as { losses: number[]; sineOfOne: number };
  expect(losses.at(-1)).toBeLessThan(0.005);
  expect(losses.at(-1)).toBeLessThan((losses[0] as number) / 20);
  expect(Math.abs(sineOfOne - Math.sin(1))).toBeLessThan(0.1);
});

it("a loss of one's own falls", async () => {
  const { losses } = (await run("own-loss")) as { losses: number[] };
  expect(losses).toHaveLength(10);
  expect(losses.at(-1)).toBeLessThan((losses[0] as number) / 4);
});

it("an operator of one's own has the right values and gradients", async () => {
  const { output, worst, gradients } = (await run("own-operator")) as {
    output: Float32Array;
    worst: number;
    gradients: number[];
  };
  const values = [0, 1, -2];
  const softplus = (x: number): number => Math.log1p(Math.exp(x));
  values.forEach((x, i) => {
    expect(output[i]).toBeCloseTo(softplus(x), 5);
    expect(gradients[i]).toBeCloseTo((2 * softplus(x)) / (1 + Math.exp(-x)), 5);
  });
  expect(worst).toBeLessThan(1e-3);
});

it("an architecture of one's own loads from a folder: without positions, an order of words is no matter", async () => {
  const { cosine } = (await run("own-architecture")) as { cosine: (a: number, b: number) => number };
  expect(cosine(0, 1)).toBeCloseTo(1, 5);
  expect(Math.abs(cosine(0, 2))).toBeLessThan(0.9);
});
