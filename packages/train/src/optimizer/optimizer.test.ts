import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { TrainingSettings } from "../training-settings.js";
import { AdamW, decays, defaultAdamW } from "./adamw.js";
import { clipFactor, gradientNorm } from "./gradients.js";
import { OptimizerLoop, totalSteps } from "./optimizer-loop.js";
import { learningRate, warmupSteps } from "./schedule.js";

interface Reference {
  weight: number[];
  bias: number[];
  x: number[];
  y: number[];
  steps: { loss: number; lr: number; norm: number }[];
  end: { weight: number[]; bias: number[] };
}

// Made by PyTorch: scripts/make-references.py.
const reference: Reference = JSON.parse(
  readFileSync(new URL("../fixtures/references.json", import.meta.url), "utf8"),
).optimizer;

const settings = {
  learning_rate: 0.3,
  weight_decay: 0.1,
  warmup_ratio: 0.1,
  lr_scheduler_type: "cosine",
  max_grad_norm: 2,
} as TrainingSettings;

/** Loss and gradients of Σ (x w + b - y)² / 4 for x [4, 3], w [3, 2], b [2]. */
function quadratic(weight: Float32Array, bias: Float32Array): { loss: number; gradients: Map<string, Float32Array> } {
  const dWeight = new Float32Array(6);
  const dBias = new Float32Array(2);
  let loss = 0;
  for (let row = 0; row < 4; row++) {
    for (let column = 0; column < 2; column++) {
      let value = (bias[column] as number) - (reference.y[row * 2 + column] as number);
      for (let k = 0; k < 3; k++) value += (reference.x[row * 3 + k] as number) * (weight[k * 2 + column] as number);
      loss += value * value * 0.25;
      dBias[column] = (dBias[column] as number) + value / 2;
      for (let k = 0; k < 3; k++) {
        dWeight[k * 2 + column] =
          (dWeight[k * 2 + column] as number) + ((reference.x[row * 3 + k] as number) * value) / 2;
      }
    }
  }
  return {
    loss,
    gradients: new Map([
      ["dense.weight", dWeight],
      ["dense.bias", dBias],
    ]),
  };
}

describe("AdamW with clipping, warm-up and cosine", () => {
  it("follows PyTorch over 20 steps, with decay on the matrix and not on the bias", async () => {
    const weight = Float32Array.from(reference.weight);
    const bias = Float32Array.from(reference.bias);
    const optimizer = new OptimizerLoop(settings, 20);
    const parameters = [
      { name: "dense.weight", shape: [3, 2], data: weight },
      { name: "dense.bias", shape: [2], data: bias },
    ];
    expect(reference.steps.some(({ norm }) => norm > 2) && reference.steps.some(({ norm }) => norm < 2)).toBe(true);
    for (const expected of reference.steps) {
      const { loss, gradients } = quadratic(weight, bias);
      expect(loss).toBeCloseTo(expected.loss, 4);
      const { lr, gradNorm } = await optimizer.step(parameters, new Map(gradients));
      expect(lr).toBeCloseTo(expected.lr, 10);
      expect(gradNorm).toBeCloseTo(expected.norm, 4);
      expect([...gradients.values()].every((sum) => sum.every((value) => value === 0))).toBe(true);
    }
    reference.end.weight.forEach((value, i) => {
      expect(weight[i]).toBeCloseTo(value, 5);
    });
    reference.end.bias.forEach((value, i) => {
      expect(bias[i]).toBeCloseTo(value, 5);
    });
  });

  it("goes on from a saved state as if it had never stopped", async () => {
    const start = (): { weight: Float32Array; bias: Float32Array } => ({
      weight: Float32Array.from(reference.weight),
      bias: Float32Array.from(reference.bias),
    });
    const run = async (
      optimizer: OptimizerLoop,
      { weight, bias }: ReturnType<typeof start>,
      steps: number,
    ): Promise<void> => {
      for (let i = 0; i < steps; i++) {
        const parameters = [
          { name: "dense.weight", shape: [3, 2], data: weight },
          { name: "dense.bias", shape: [2], data: bias },
        ];
        await optimizer.step(parameters, new Map(quadratic(weight, bias).gradients));
      }
    };
    const whole = start();
    await run(new OptimizerLoop(settings, 20), whole, 20);

    const parts = start();
    const first = new OptimizerLoop(settings, 20);
    await run(first, parts, 7);
    const state = first.state();
    expect(state.step).toBe(7);
    expect([...state.moments.keys()].sort()).toEqual(["dense.bias", "dense.weight"]);
    const copied = new Map(
      [...state.moments].map(([name, { first, second }]) => [name, { first: first.slice(), second: second.slice() }]),
    );
    const second = new OptimizerLoop(settings, 20);
    second.restore({ step: 7, moments: copied });
    await run(second, parts, 13);
    expect(parts).toEqual(whole);
    expect(parts).not.toEqual(start());
  });

  it("a matrix of several blocks is updated to its end, with the same bits on one thread and on two", async () => {
    const size = 2 ** 18 + 5;
    const gradient = Float32Array.from({ length: size }, (_, i) => Math.sin(i));
    const updated = async (threads: number): Promise<Float32Array> => {
      const data = new Float32Array(size).fill(1);
      const adamw = new AdamW(defaultAdamW, { threads });
      for (let step = 0; step < 3; step++) {
        await adamw.update([{ name: "a.weight", shape: [size], data }], new Map([["a.weight", gradient]]), 0.1, 0.5);
      }
      await adamw.close();
      return data;
    };
    const one = await updated(1);
    expect(await updated(2)).toEqual(one);
    for (const i of [0, 1, 1000, 2 ** 18 - 1, 2 ** 18, size - 1]) {
      // With the same gradient each time, each step is the rate by the sign, but for epsilon.
      const g = 0.5 * Math.sin(i);
      let expected = 1;
      for (let step = 0; step < 3; step++) expected = expected * (1 - 0.1 * 0.01) - (0.1 * g) / (Math.abs(g) + 1e-8);
      expect(one[i], `element ${i}`).toBeCloseTo(expected, 5);
    }
  });

  it("keeps the parameters when a gradient is not finite, and says so", async () => {
    const data = Float32Array.of(1, 2);
    const optimizer = new OptimizerLoop(settings, 20);
    const gradients = new Map([["a.weight", Float32Array.of(Number.NaN, 1)]]);
    const step = optimizer.step([{ name: "a.weight", shape: [2], data }], gradients);
    await expect(step).rejects.toThrow(/Step 1: .*not finite/);
    expect([...data]).toEqual([1, 2]);
  });

  it("decays matrices, not biases nor norms of any architecture", () => {
    expect(decays("encoder.layer.0.attention.self.query.weight")).toBe(true);
    expect(decays("embeddings.word_embeddings.weight")).toBe(true);
    expect(decays("model.layers.3.mlp.up_proj.weight")).toBe(true);
    for (const name of [
      "encoder.layer.0.attention.self.query.bias",
      "encoder.layer.0.output.LayerNorm.weight",
      "model.layers.3.input_layernorm.weight",
      "model.layers.3.post_attention_layernorm.weight",
      "model.norm.weight",
    ]) {
      expect(decays(name), name).toBe(false);
    }
  });
});

it("schedules start at 0, peak after the warm-up and end at 0 (but the constant one)", () => {
  const schedule = { lr: 2, totalSteps: 10, warmupSteps: 2 };
  const rates = (name: "cosine" | "linear" | "constant"): number[] =>
    [0, 1, 2, 6, 10].map((step) => learningRate({ ...schedule, name }, step));
  expect(rates("cosine").map((rate) => Number(rate.toFixed(6)))).toEqual([0, 1, 2, 1, 0]);
  expect(rates("linear")).toEqual([0, 1, 2, 1, 0]);
  expect(rates("constant")).toEqual([0, 1, 2, 2, 2]);
  expect(warmupSteps(27, 0.1)).toBe(3);
  expect(() => warmupSteps(10, 2)).toThrow(/warmup_ratio is 2/);
});

it("clipping scales to the maximum, and 0 switches it off", () => {
  const norm = gradientNorm(
    new Map([
      ["a", Float32Array.of(3)],
      ["b", Float32Array.of(0, 4)],
    ]),
  );
  expect(norm).toBe(5);
  expect(clipFactor(norm, 1)).toBeCloseTo(0.2, 6);
  expect(clipFactor(norm, 10)).toBe(1);
  expect(clipFactor(norm, 0)).toBe(1);
});

it("steps: max_steps wins over epochs; a short last batch counts", () => {
  const base = {
    per_device_train_batch_size: 4,
    gradient_accumulation_steps: 2,
    num_train_epochs: 3,
  } as TrainingSettings;
  expect(totalSteps({ ...base, max_steps: -1 }, 17)).toBe(9);
  expect(totalSteps({ ...base, max_steps: 5 }, 17)).toBe(5);
});
