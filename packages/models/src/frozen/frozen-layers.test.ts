import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { silentReporter, UserError } from "@rag-ft/core";
import { clearGradients, OptimizerLoop, trainingSettings } from "@rag-ft/train";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { createAnswerBatch } from "../decoder/answer-batch.js";
import { createTrainableDecoder } from "../decoder/trainable-decoder.js";
import { WindowedDropout } from "../encoder/dropout.js";
import type { Pooling } from "../encoder/pooling.js";
import { createTokenBatch } from "../encoder/token-batch.js";
import { createTrainableEncoder, type TrainableEncoder } from "../encoder/trainable-encoder.js";
import { decoderAdapters, encoderAdapters, scorerAdapters } from "../lora/create-adapters.js";
import { loadScorer } from "../scorer/load-scorer.js";
import { createPairBatch } from "../scorer/pair-batch.js";
import { createTrainableScorer } from "../scorer/trainable-scorer.js";
import { relativeError } from "../testing/relative-error.js";
import { fixture, TINY_DECODERS, TINY_EXAMPLES, tinyDecoder, tinyEncoder } from "../testing/tiny-models.js";
import { loadWeights } from "../weights/load-weights.js";
import type { WeightTensor } from "../weights/weight-tensor.js";
import { frozenDecoderPart, frozenEncoderPart } from "./find-frozen-part.js";
import type { FreezeSettings } from "./frozen-layers.js";
import { describeFrozen } from "./frozen-part.js";

/** Gets a new head as a reranker. */
const ENCODER = fileURLToPath(new URL("../../../../data/models/tiny-encoder", import.meta.url));
const SEQUENCES = [
  [2, 5, 9, 31, 7, 3],
  [2, 17, 17, 3],
  [2, 39, 3],
];
const LORA = { r: 2, alpha: 6, targets: ["all-linear"], seed: 1 };
const batchOf = (pooling: Pooling, sequences = SEQUENCES) => createTokenBatch(sequences, 0, pooling);
const seedsOf = (count: number): Float32Array => Float32Array.from({ length: count }, (_, i) => Math.sin(i));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rag-ft-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Gradients of one batch, copied. */
async function gradientsOf(model: TrainableEncoder, pooling: Pooling): Promise<Map<string, Float32Array>> {
  const batch = batchOf(pooling);
  clearGradients(model.gradients);
  await model.forwardKeeping(batch);
  await model.backward(batch, seedsOf(batch.rows * model.encoder.graph.dimensions));
  model.forgetActivations();
  return new Map([...model.gradients].map(([name, sum]) => [name, sum.slice()]));
}

const largest = (values: Float32Array): number => values.reduce((max, value) => Math.max(max, Math.abs(value)), 0);

/** Those that are there are as in the whole model, and none is zero that is not zero there. */
function expectPartOf(whole: ReadonlyMap<string, Float32Array>, above: ReadonlyMap<string, Float32Array>): void {
  for (const [name, gradient] of above) {
    const expected = whole.get(name) as Float32Array;
    // Gradients of the keys' biases are zero but for rounding.
    if (largest(expected) < 1e-6) expect(largest(gradient), name).toBeLessThan(1e-6);
    else expect(relativeError(gradient, expected), name).toBeLessThan(1e-5);
  }
}

describe("an encoder's layers above frozen ones", () => {
  it.each([
    ["tiny-bert", "mean"],
    ["tiny-xlm-roberta", "cls"],
    ["tiny-distilbert", "mean"],
    ["tiny-mpnet", "mean"],
    ["tiny-modernbert", "cls"],
    ["tiny-gte", "cls"],
    ["tiny-nomic-bert", "mean"],
    ["tiny-jina-v3", "mean"],
    ["tiny-qwen3-embedding", "lasttoken"],
    ["tiny-embeddinggemma", "max"],
    ["tiny-eurobert", "mean"],
  ] as const)("%s: vectors and gradients are those of the whole model", async (name, pooling) => {
    const encoder = await tinyEncoder(name, pooling);
    const whole = await createTrainableEncoder(encoder);
    const above = await createTrainableEncoder(encoder, { freeze: { layers: 1 }, activationBytes: 2 ** 22 });
    const batch = batchOf(pooling);
    expect(relativeError(await above.forward(batch), await whole.forward(batch))).toBeLessThan(1e-5);
    const part = frozenEncoderPart(encoder, 1);
    expect(above.frozen?.part).toEqual(part);
    const names = [...above.trained.keys()];
    expect(names.length).toBeGreaterThan(4);
    expect([...encoder.weights.keys()].filter((weight) => !above.trained.has(weight)).sort()).toEqual(
      [...(part?.weights ?? [])].sort(),
    );
    expect(names.some((weight) => /embed/.test(weight))).toBe(false);
    expect([...above.gradients.keys()].sort()).toEqual(names.sort());
    expectPartOf(await gradientsOf(whole, pooling), await gradientsOf(above, pooling));
    await whole.close();
    await above.close();
  });

  it("three steps of AdamW give the weights that the whole model's graph gives where the same ones are trained", async () => {
    const settings = z.object(trainingSettings).parse({ output_dir: "none", learning_rate: 1e-2, max_steps: 3 });
    const trained = async (freeze?: FreezeSettings) => {
      const encoder = await tinyEncoder("tiny-bert", "mean");
      const frozen = frozenEncoderPart(encoder, 1)?.weights;
      const base = new Map([...encoder.weights].map(([name, { data }]) => [name, data.slice()]));
      const model = await createTrainableEncoder(encoder, { freeze });
      const above = <T>(all: ReadonlyMap<string, T>) => new Map([...all].filter(([name]) => !frozen?.has(name)));
      const optimizer = new OptimizerLoop(settings, 3);
      for (let step = 0; step < 3; step++) {
        const batch = batchOf("mean", [SEQUENCES[step % 3] as number[], SEQUENCES[(step + 1) % 3] as number[]]);
        await model.forwardKeeping(batch);
        await model.backward(batch, seedsOf(batch.rows * 16));
        const parameters = [...above(model.trained)].map(([name, weight]) => ({ name, ...weight }));
        await optimizer.step(parameters, above(model.gradients));
      }
      await optimizer.close();
      await model.close();
      return { weights: encoder.weights, base, frozen };
    };
    const whole = await trained();
    const { weights, base, frozen } = await trained({ layers: 1, memoryBytes: 2 ** 20 });
    for (const [name, { data }] of weights) {
      if (frozen?.has(name)) expect(data, name).toEqual(base.get(name));
      // The gradient of a key's bias is rounding alone, of which AdamW makes steps of full size.
      else if (!name.endsWith("key.bias")) {
        expect(relativeError(data, whole.weights.get(name)?.data as Float32Array), name).toBeLessThan(1e-6);
        expect(data, name).not.toEqual(base.get(name));
      }
    }
  });

  it("what is kept is computed once, in memory or on disk, and makes no difference to any bit", async () => {
    const encoder = await tinyEncoder("tiny-bert", "mean");
    const twice = async (freeze: FreezeSettings) => {
      const model = await createTrainableEncoder(encoder, { freeze });
      // Beside other texts, padded otherwise: the vectors of a kept text are the same to the bit as when it was first seen.
      const first = await model.forwardKeeping(batchOf("mean"));
      const gradients = [await gradientsOf(model, "mean"), await gradientsOf(model, "mean")];
      const vectors = await model.forward(batchOf("mean"));
      await model.close();
      return { first, gradients, vectors };
    };
    const anew = await twice({ layers: 1 });
    expect(anew.first).toEqual(anew.vectors);
    expect(await twice({ layers: 1, memoryBytes: 2 ** 20 })).toEqual(anew);
    const disk = join(folder, "kept");
    // 6 tokens of 16 numbers are 384 bytes: the longest text finds room, the others are on disk.
    expect(await twice({ layers: 1, memoryBytes: 400, folder: disk })).toEqual(anew);
    expect((await readdir(disk, { recursive: true })).filter((name) => /[0-9a-f]{64}$/.test(name))).toHaveLength(2);
    // A later run finds them; weights that differ do not.
    expect(await twice({ layers: 1, memoryBytes: 0, folder: disk })).toEqual(anew);
    const [word] = [...encoder.weights.values()];
    (word as WeightTensor).data[80] = 3;
    expect((await twice({ layers: 1, memoryBytes: 0, folder: disk })).first).not.toEqual(anew.first);
    expect(await readdir(disk)).toHaveLength(1);
    expect((await readdir(disk, { recursive: true })).filter((name) => /[0-9a-f]{64}$/.test(name))).toHaveLength(3);
  });

  it("a file that is damaged is noticed, made anew, and said", async () => {
    const encoder = await tinyEncoder("tiny-bert", "mean");
    const disk = join(folder, "damaged");
    const warnings: string[] = [];
    const run = async (): Promise<Float32Array> => {
      const reporter = { warn: (message: string) => warnings.push(message) };
      const model = await createTrainableEncoder(encoder, { freeze: { layers: 1, folder: disk, reporter } });
      const vectors = await model.forwardKeeping(batchOf("mean"));
      await model.close();
      return vectors;
    };
    const expected = await run();
    const names = (await readdir(disk, { recursive: true })).filter((name) => /[0-9a-f]{64}$/.test(name));
    const path = join(disk, names[0] as string);
    const bytes = await readFile(path);
    bytes[50] = (bytes[50] as number) ^ 1;
    await writeFile(path, bytes);
    await writeFile(join(disk, names[1] as string), bytes.subarray(0, 40));
    await writeFile(join(disk, `${names[2]}.part`), "half");
    expect(await run()).toEqual(expected);
    expect(warnings).toHaveLength(2);
    expect(warnings.sort()[0]).toMatch(/damaged or gone: what the frozen layers compute of this text is computed anew/);
    expect(await run()).toEqual(expected);
    expect(warnings).toHaveLength(2);
    expect((await readdir(disk, { recursive: true })).filter((name) => name.endsWith(".part"))).toEqual([]);
  });

  it("dropout is of the layers above alone", async () => {
    const encoder = await tinyEncoder("tiny-bert", "mean");
    const vectorsWith = async (rate: number, seed: number) => {
      const dropout = new WindowedDropout(rate);
      const model = await createTrainableEncoder(encoder, { dropout, freeze: { layers: 1, memoryBytes: 2 ** 20 } });
      dropout.draw(seed);
      const batch = batchOf("mean");
      const masks = Object.keys(dropout.masksOf(batch)).length;
      const vectors = await model.forwardKeeping(batch);
      await model.backward(batch, seedsOf(vectors.length));
      const plain = await model.forward(batch);
      await model.close();
      return { vectors, masks, plain };
    };
    const [one, other] = [await vectorsWith(0.3, 1), await vectorsWith(0.3, 2)];
    // Of one layer: attention weights, its output, the feed-forward's.
    expect(one.masks).toBe(3);
    expect(one.vectors).not.toEqual(other.vectors);
    expect(one.plain).toEqual(other.plain);
    const none = await createTrainableEncoder(encoder, { freeze: { layers: 1 } });
    expect(await none.forward(batchOf("mean"))).toEqual(one.plain);
    await none.close();
  });

  it("an evaluation fills half of the memory at most, and uses what a training keeps", async () => {
    const encoder = await tinyEncoder("tiny-bert", "mean");
    const weights = [...encoder.weights.values()][0] as WeightTensor;
    // 13 tokens of 64 bytes in three texts: 384, 256, 192.
    const model = await createTrainableEncoder(encoder, { freeze: { layers: 1, memoryBytes: 832 } });
    const before = await model.forward(batchOf("mean"));
    // The frozen table is changed behind the model's back: what was kept is as it was.
    const kept = weights.data.slice();
    weights.data.fill(1);
    const after = await model.forward(batchOf("mean"));
    const same = (row: number) => after.slice(row * 16, row * 16 + 16).every((x, i) => x === before[row * 16 + i]);
    expect([same(0), same(1), same(2)]).toEqual([true, false, false]);
    weights.data.set(kept);
    await model.forwardKeeping(batchOf("mean"));
    weights.data.fill(1);
    expect(await model.forward(batchOf("mean"))).toEqual(before);
    await model.close();
  });
});

describe("a decoder's layers above frozen ones", () => {
  it.each(TINY_DECODERS)("%s: loss and gradients are those of the whole model", async (name) => {
    const decoder = await tinyDecoder(name);
    const batch = createAnswerBatch(TINY_EXAMPLES, 0, 1 / 5);
    const whole = await createTrainableDecoder(decoder);
    const above = await createTrainableDecoder(decoder, { freeze: { layers: 1, memoryBytes: 2 ** 20 } });
    const loss = await whole.backward(batch);
    expect(await above.loss(batch)).toBeCloseTo(loss, 5);
    expect(await above.backward(batch)).toBeCloseTo(loss, 5);
    expectPartOf(whole.gradients, above.gradients);
    const part = frozenDecoderPart(decoder, 1);
    expect(above.trained.size + (part?.weights.size ?? 0)).toBe(decoder.weights.size);
    // Tied embeddings are the head as well: what the frozen layers read stays.
    expect(above.trained.has("model.embed_tokens.weight")).toBe(false);
    expect(above.trained.has("lm_head.weight")).toBe(decoder.weights.has("lm_head.weight"));
    await whole.close();
    await above.close();
  });
});

describe("a reranker's layers above frozen ones", () => {
  it.each([fixture("st-modernbert-mean"), ENCODER])("%s", async (path) => {
    const scorer = await loadScorer(path, { env: {}, reporter: silentReporter, newHead: 1 });
    const pairs = SEQUENCES.map((ids, row) => ({ ids, types: ids.map((_, i) => (i > row + 1 ? 1 : 0)) }));
    const batch = createPairBatch(pairs, scorer.tokenizer.padId);
    const whole = await createTrainableScorer(scorer);
    const above = await createTrainableScorer(scorer, { freeze: { layers: 1, memoryBytes: 2 ** 20 } });
    const expected = await whole.forward(batch);
    expect(relativeError(await above.forward(batch), expected)).toBeLessThan(1e-5);
    expect(await above.evaluate(batch)).toEqual(await above.forward(batch));
    await whole.backward(batch, seedsOf(expected.length));
    await above.backward(batch, seedsOf(expected.length));
    expectPartOf(whole.gradients, above.gradients);
    const adapters = scorerAdapters(scorer, LORA, {}, above.frozen?.part);
    expect(adapters.layers.some((layer) => above.frozen?.part.linear.has(layer))).toBe(false);
    expect(adapters.trained.size).toBe(2 * adapters.layers.length + (scorer.isHeadNew ? adapters.whole.size : 0));
    await whole.close();
    await above.close();
  });
});

describe("adapters above frozen layers", () => {
  const fill = (weights: ReadonlyMap<string, WeightTensor>): void => {
    for (const { data } of weights.values()) data.set(Float32Array.from(data, (_, i) => Math.sin(i) / 2));
  };

  it("have the gradients that they have in the whole model", async () => {
    const gradients = async (freeze: boolean) => {
      const encoder = await tinyEncoder("tiny-bert", "mean");
      const part = frozenEncoderPart(encoder, 1);
      const adapters = encoderAdapters(encoder, LORA, {}, part);
      fill(adapters.weights);
      await adapters.merge();
      const settings = freeze ? { freeze: { layers: 1, memoryBytes: 2 ** 20 } } : {};
      const model = await createTrainableEncoder(encoder, settings, adapters);
      const found = await gradientsOf(model, "mean");
      await model.close();
      await adapters.close();
      return { found, layers: adapters.layers };
    };
    const [whole, above] = [await gradients(false), await gradients(true)];
    expect(above.layers).toHaveLength(6);
    expect(above.layers.every((layer) => layer.startsWith("encoder.layer.1."))).toBe(true);
    expect(above.found.size).toBe(12);
    expectPartOf(whole.found, above.found);
  });

  it("on a base in 16 bits, too", async () => {
    const run = async (layers: number) => {
      const decoder = await tinyDecoder("tiny-llama");
      const stored = await loadWeights(fixture("tiny-llama"), "BF16");
      for (const key of decoder.weights.keys()) decoder.weights.set(key, stored.get(key) as WeightTensor);
      const adapters = decoderAdapters(decoder, LORA, {}, frozenDecoderPart(decoder, 1));
      fill(adapters.weights);
      const model = await createTrainableDecoder(decoder, { freeze: { layers } }, adapters);
      const loss = await model.backward(createAnswerBatch(TINY_EXAMPLES, 0, 1 / 5));
      const found = new Map([...model.gradients].map(([name, sum]) => [name, sum.slice()]));
      await model.close();
      return { loss, found };
    };
    const [whole, above] = [await run(0), await run(1)];
    expect(above.loss).toBeCloseTo(whole.loss, 5);
    expectPartOf(whole.found, above.found);
  });

  it("targets that are all frozen are refused", async () => {
    const encoder = await tinyEncoder("tiny-bert", "mean");
    const targets = ["layer.0.attention.self.query"];
    expect(() => encoderAdapters(encoder, { ...LORA, targets }, {}, frozenEncoderPart(encoder, 1))).toThrow(
      /lora_target_modules: all 1 linear layers .*layer\.0\.attention\.self\.query, are frozen: freeze_layers is 1 of 2/,
    );
  });
});

describe("what cannot be frozen", () => {
  it("all layers, or more", async () => {
    const encoder = await tinyEncoder("tiny-bert", "mean");
    expect(() => frozenEncoderPart(encoder, 2)).toThrow(UserError);
    expect(() => frozenEncoderPart(encoder, 2)).toThrow(/freeze_layers is 2, but .* has 2 layers.*Give at most 1\./);
    expect(frozenEncoderPart(encoder, 0)).toBeUndefined();
    const part = frozenEncoderPart(encoder, 1);
    expect(part && describeFrozen(part)).toBe("the embeddings and the first layer of 2 layers");
  });

  it("an architecture that does not tell its layers", async () => {
    const encoder = await tinyEncoder("tiny-bert", "mean");
    const { hiddenStates } = encoder.graph;
    const graph = {
      ...encoder.graph,
      hiddenStates: ((parameters, inputs) =>
        hiddenStates(
          Object.assign(Object.create(parameters), { enterLayer: (_: number, x: unknown) => x }),
          inputs,
        )) as typeof hiddenStates,
    };
    expect(() => frozenEncoderPart({ ...encoder, graph }, 1)).toThrow(/does not tell its layers apart/);
  });
});
