import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CancelledError, silentReporter, writeFolderAtomic } from "@rag-ft/core";
import { requireDevice, type TensorMemory } from "@rag-ft/onnx";
import {
  createContrastiveLoss,
  OptimizerLoop,
  runTraining,
  type TrainingSettings,
  type TrainingTask,
  trainingSettings,
} from "@rag-ft/train";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { createAnswerBatch } from "./decoder/answer-batch.js";
import { createTrainableDecoder } from "./decoder/trainable-decoder.js";
import { openEncoder } from "./encoder/passage-encoder.js";
import { createTokenBatch } from "./encoder/token-batch.js";
import { createTrainableEncoder } from "./encoder/trainable-encoder.js";
import { likeliest } from "./generate/choose-token.js";
import { openGeneration } from "./generate/generation.js";
import { decoderAdapters } from "./lora/create-adapters.js";
import { relativeError } from "./testing/relative-error.js";
import { fixture, TINY_EXAMPLES, tinyDecoder, tinyEncoder } from "./testing/tiny-models.js";
import { safetensorsFiles } from "./weights/tensor-files.js";

// The same on a GPU as on the CPU, where there is one; a software one does (docs/engine.md says how to use one).
const DEVICE = "webgpu";
const TOLERANCE = 1e-5;
const STEPS = 3;
const missing = await requireDevice(DEVICE).then(
  () => undefined,
  (error: Error) => error.message,
);

/** A software adapter compiles each kernel in half a second. */
const PATIENCE = 300_000;

const settings = (): TrainingSettings =>
  z.object(trainingSettings).parse({ output_dir: "none", learning_rate: 0.01, weight_decay: 0.1, max_grad_norm: 0.5 });

type Arrays = ReadonlyMap<string, Float32Array>;

interface Trained {
  /** After the runs of the first step. */
  gradients: Arrays;
  weights: Arrays;
  norms: number[];
  /** What the model gives after the last step. */
  results: Float32Array;
}

interface TrainedModel {
  trained: ReadonlyMap<string, { data: Float32Array; shape: number[] }>;
  gradients: Map<string, Float32Array>;
  memory: TensorMemory;
}

const copies = (arrays: Iterable<readonly [string, Float32Array]>): Arrays =>
  new Map([...arrays].map(([name, data]) => [name, data.slice()]));

/** Some steps of AdamW with clipping; `run` adds a step's gradients in several runs. */
async function steps(
  model: TrainedModel,
  run: () => Promise<void>,
  changed: () => Promise<void>,
): Promise<Pick<Trained, "gradients" | "weights" | "norms">> {
  const optimizer = new OptimizerLoop(settings(), STEPS, model.memory);
  const before = copies([...model.trained].map(([name, { data }]) => [name, data] as const));
  const norms: number[] = [];
  let gradients: Arrays = new Map();
  for (let step = 0; step < STEPS; step++) {
    await run();
    if (model.memory.device === DEVICE && step === 0) {
      // Nothing came back so far.
      for (const sum of model.gradients.values()) expect(sum.every((value) => value === 0)).toBe(true);
    }
    if (step === 0) {
      await model.memory.fetch();
      gradients = copies(model.gradients);
    }
    const parameters = [...model.trained].map(([name, weight]) => ({ name, ...weight }));
    norms.push((await optimizer.step(parameters, model.gradients)).gradNorm);
    await changed();
    if (model.memory.device === DEVICE)
      for (const [name, { data }] of model.trained) expect(data, name).toEqual(before.get(name));
  }
  await model.memory.fetch();
  const weights = copies([...model.trained].map(([name, { data }]) => [name, data] as const));
  expect([...weights].some(([name, data]) => data.some((value, i) => value !== before.get(name)?.[i]))).toBe(true);
  await optimizer.close();
  return { gradients, weights, norms };
}

function expectSame(ours: Trained, theirs: Trained): void {
  const worst = (a: Arrays, b: Arrays): number => {
    expect([...a.keys()]).toEqual([...b.keys()]);
    let most = 0;
    for (const [name, data] of b) {
      // A key's bias has no gradient but for rounding, of which AdamW makes steps.
      if (/key\.bias$|k_proj\.bias$/.test(name)) continue;
      expect(Math.hypot(...data), name).toBeGreaterThan(0);
      most = Math.max(most, relativeError(a.get(name), data));
    }
    return most;
  };
  const errors = {
    gradients: worst(ours.gradients, theirs.gradients),
    weights: worst(ours.weights, theirs.weights),
    norms: relativeError(ours.norms, Float32Array.from(theirs.norms)),
    results: relativeError(ours.results, theirs.results),
  };
  console.log(`largest relative errors against the CPU: ${JSON.stringify(errors)}`);
  expect(errors.gradients).toBeLessThan(TOLERANCE);
  expect(errors.norms).toBeLessThan(TOLERANCE);
  expect(errors.weights).toBeLessThan(10 * TOLERANCE);
  expect(errors.results).toBeLessThan(10 * TOLERANCE);
}

describe.each(["tiny-bert", "tiny-qwen3-embedding"])(`${DEVICE}: %s`, (name) => {
  const sequences = [
    [2, 5, 9, 31, 7, 3],
    [2, 17, 17, 3],
    [2, 39, 3],
  ];
  const trainOn = async (device: string): Promise<Trained> => {
    const model = await createTrainableEncoder(await tinyEncoder(name, "mean"), { device });
    const batches = [sequences.slice(0, 1), sequences.slice(1)].map((some) => createTokenBatch(some, 0, "mean"));
    const { dimensions } = model.encoder.graph;
    const run = async (): Promise<void> => {
      for (const batch of batches) {
        const seeds = Float32Array.from({ length: batch.rows * dimensions }, (_, i) => Math.sin(i + batch.rows));
        await model.backward(batch, seeds);
      }
    };
    const made = await steps(model, run, async () => {});
    const results = await model.forward(createTokenBatch(sequences, 0, "mean"));
    await model.close();
    return { ...made, results };
  };

  it(
    "has the CPU's gradients, steps of AdamW and vectors",
    async (context) => {
      if (missing) context.skip(missing);
      expectSame(await trainOn(DEVICE), await trainOn("cpu"));
    },
    PATIENCE,
  );
});

describe.each([
  { name: "tiny-llama", lora: false },
  { name: "tiny-qwen2", lora: false },
  { name: "tiny-llama", lora: true },
])(`${DEVICE}: $name, adapters $lora`, ({ name, lora }) => {
  const trainOn = async (device: string): Promise<Trained> => {
    const decoder = await tinyDecoder(name);
    const adapters = lora
      ? decoderAdapters(decoder, { r: 4, alpha: 8, targets: ["all-linear"], seed: 3 }, { device })
      : undefined;
    const model = await createTrainableDecoder(decoder, { device }, adapters);
    const batches = TINY_EXAMPLES.map((example) => createAnswerBatch([example], 0, 1 / 5));
    const losses: number[] = [];
    const run = async (): Promise<void> => {
      for (const batch of batches) losses.push(await model.backward(batch));
    };
    const made = await steps(model, run, async () => adapters?.merge());
    losses.push(await model.loss(createAnswerBatch(TINY_EXAMPLES, 0, 1 / 5)));
    expect(losses.at(-1)).not.toBe(losses[0]);
    const merged = copies([...model.decoder.weights].map(([key, { data }]) => [key, data] as const));
    await model.close();
    await adapters?.close();
    // The model with its adapters: AdamW's first steps from B = 0 have the size of the rate also where a gradient is all but rounding.
    return { ...made, weights: merged, results: Float32Array.from(losses) };
  };

  it(
    "has the CPU's gradients, steps of AdamW and losses",
    async (context) => {
      if (missing) context.skip(missing);
      const [ours, theirs] = [await trainOn(DEVICE), await trainOn("cpu")];
      if (lora) {
        // B begins at zero, and so does A's gradient.
        for (const key of [...theirs.gradients.keys()].filter((each) => each.includes("lora_A"))) {
          for (const arrays of [ours.gradients, theirs.gradients]) (arrays as Map<string, Float32Array>).delete(key);
        }
      }
      expectSame(ours, theirs);
    },
    PATIENCE,
  );
});

it(
  `${DEVICE}: embeds as the CPU does`,
  async (context) => {
    if (missing) context.skip(missing);
    const texts = ["How do I set a proxy?", "A proxy is set by an environment variable.", "no"];
    const vectors: Float32Array[] = [];
    for (const device of [DEVICE, "cpu"]) {
      const encoder = await openEncoder(fixture("st-bert"), { env: {}, reporter: silentReporter, device });
      vectors.push(await encoder.embed(texts, "passage"));
      await encoder.close();
    }
    const error = relativeError(vectors[0], vectors[1] as Float32Array);
    console.log(`vectors: relative error ${error}`);
    expect(error).toBeLessThan(TOLERANCE);
  },
  PATIENCE,
);

it(
  `${DEVICE}: goes on with texts as the CPU does`,
  async (context) => {
    if (missing) context.skip(missing);
    const decoder = await tinyDecoder("tiny-llama");
    const long = Array.from({ length: 45 }, (_, i) => 3 + ((i * 7) % 37));
    const prompts = [[1, 5, 9, 30, 7], [1, 17, 4, 8, 9, 3, 12, 22, 31], long.slice(0, 20), long];
    const made: number[][][] = [];
    for (const device of [DEVICE, "cpu"]) {
      const generation = await openGeneration(decoder, { device, texts: 3 });
      const all = prompts.map((prompt) =>
        generation.continue({ prompt, room: 10, ends: new Set<number>(), choose: likeliest }),
      );
      made.push((await Promise.all(all)).map((text) => text.made));
      await generation.close();
    }
    expect(new Set(made[1]?.flat()).size).toBeGreaterThan(5);
    expect(made[0]).toEqual(made[1]);
  },
  PATIENCE,
);

describe(`${DEVICE}: a training`, () => {
  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "rag-ft-device-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const batch = createAnswerBatch([{ prompt: [1, 5, 9, 30, 7], answer: [11, 12, 2] }], 0, 1 / 3);

  /** Trains to step `last`, or until the run is asked to stop after it; what the weights are then. */
  const train = async (device: string, output: string, stopAfter?: number): Promise<Arrays> => {
    const model = await createTrainableDecoder(await tinyDecoder("tiny-llama"), { device });
    const stop = new AbortController();
    const task: TrainingTask = {
      settings: { ...settings(), output_dir: join(folder, output) },
      identity: { settings: {}, inputs: {} },
      steps: 4,
      weights: model.trained,
      gradients: model.gradients,
      memory: model.memory,
      async runStep(step) {
        const loss = await model.backward(batch);
        if (step === stopAfter) stop.abort();
        return { loss, examples: 1, tokens: batch.tokens, describe: () => "one" };
      },
      metric: { name: "loss", greaterIsBetter: false },
      save: (target, extra) => writeFolderAtomic(target, extra),
      files: safetensorsFiles,
      reporter: silentReporter,
      signal: stop.signal,
    };
    try {
      await runTraining(task);
    } catch (error) {
      if (!(error instanceof CancelledError)) throw error;
    }
    await model.close();
    return copies([...model.trained].map(([name, { data }]) => [name, data] as const));
  };

  it(
    "that was stopped goes on from its checkpoint and ends as the CPU's",
    async (context) => {
      if (missing) context.skip(missing);
      const whole = await train("cpu", "whole");
      const half = await train(DEVICE, "parts", 2);
      expect(await readdir(join(folder, "parts"))).toContain("checkpoint-2");
      const parts = await train(DEVICE, "parts");
      const worst = (a: Arrays): number =>
        Math.max(...[...whole].map(([name, data]) => relativeError(a.get(name), data)));
      console.log(`largest relative errors against the CPU: in the middle ${worst(half)}, at the end ${worst(parts)}`);
      expect(worst(half)).toBeGreaterThan(100 * TOLERANCE);
      expect(worst(parts)).toBeLessThan(10 * TOLERANCE);
    },
    PATIENCE,
  );
});

it(
  `${DEVICE}: has the CPU's contrastive loss and gradients of vectors`,
  async (context) => {
    if (missing) context.skip(missing);
    const dimensions = 8;
    const vectors = Float32Array.from({ length: 7 * dimensions }, (_, i) => Math.sin(1.7 * i + 1));
    const results: { loss: number; gradients: Float32Array }[] = [];
    for (const device of [DEVICE, "cpu"]) {
      const about = { dimensions, similarity: "cosine", temperature: 0.05 } as const;
      const loss = await createContrastiveLoss(about, { device });
      results.push(await loss.runTogether(vectors, { labels: [0, 1, 2] }));
      await loss.close();
    }
    const [ours, theirs] = results as [(typeof results)[0], (typeof results)[0]];
    expect(theirs.loss).toBeGreaterThan(0.1);
    expect(Math.abs(ours.loss - theirs.loss) / theirs.loss).toBeLessThan(TOLERANCE);
    expect(relativeError(ours.gradients, theirs.gradients)).toBeLessThan(TOLERANCE);
  },
  PATIENCE,
);
