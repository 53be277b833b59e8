import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRandom } from "@rag-ft/core";
import { expect, it } from "vitest";
import { createAnswerBatch } from "../decoder/answer-batch.js";
import type { LoadedDecoder } from "../decoder/load-decoder.js";
import { createTrainableDecoder, type TrainableDecoder } from "../decoder/trainable-decoder.js";
import { relativeError } from "../testing/relative-error.js";
import { fixture, TINY_EXAMPLES, tinyDecoder } from "../testing/tiny-models.js";
import { HalfWeight } from "../weights/half-weight.js";
import { loadWeights } from "../weights/load-weights.js";
import { readSafetensors } from "../weights/read-safetensors.js";
import { restoreWeights } from "../weights/restore-weights.js";
import type { WeightTensor } from "../weights/weight-tensor.js";
import { writeSafetensors } from "../weights/write-safetensors.js";
import { decoderAdapters } from "./create-adapters.js";
import type { LoraAdapters } from "./lora-adapters.js";

const LORA = { r: 2, alpha: 6, targets: ["all-linear"], seed: 1 };
const BATCH = createAnswerBatch(TINY_EXAMPLES, 0, 1 / 5);

async function open(decoder: LoadedDecoder): Promise<{ adapters: LoraAdapters; model: TrainableDecoder }> {
  const adapters = decoderAdapters(decoder, LORA);
  const random = createRandom(7);
  for (const { data } of adapters.weights.values()) data.set(Float32Array.from(data, () => random.next() - 0.5));
  const model = await createTrainableDecoder(decoder, {}, adapters);
  await adapters.merge();
  return { adapters, model };
}

it.each([
  ["tiny-llama", "F16"],
  ["tiny-llama", "BF16"],
  ["tiny-llama-untied", "BF16"],
  ["tiny-qwen3", "F16"],
  ["tiny-gemma3", "BF16"],
] as const)(
  "%s with a base in %s has the loss, the gradients and the merged weights of the rounded base in fp32",
  async (name, type) => {
    const halves = await tinyDecoder(name);
    const stored = await loadWeights(fixture(name), type);
    for (const key of halves.weights.keys()) halves.weights.set(key, stored.get(key) as WeightTensor);
    const rounded = await tinyDecoder(name);
    let changed = 0;
    for (const [key, weight] of rounded.weights) {
      const { data, shape } = halves.weights.get(key) as WeightTensor;
      expect(halves.weights.get(key) instanceof HalfWeight).toBe(shape.length === 2);
      if (weight.data.some((value, i) => value !== data[i])) changed++;
      weight.data.set(data);
    }
    expect(changed).toBeGreaterThan(4);

    const ours = await open(halves);
    const plain = await open(rounded);
    expect(ours.adapters.isInGraph).toBe(true);
    expect(plain.adapters.isInGraph).toBe(false);
    expect(ours.adapters.describe()).toBe(plain.adapters.describe());
    const expected = await plain.model.backward(BATCH);
    expect(await ours.model.loss(BATCH)).toBeCloseTo(expected, 5);
    expect(await ours.model.backward(BATCH)).toBeCloseTo(expected, 5);
    for (const [key, gradient] of plain.model.gradients) {
      expect(relativeError(ours.model.gradients.get(key), gradient), key).toBeLessThan(2e-5);
    }

    const folder = await mkdtemp(join(tmpdir(), "rag-ft-half-"));
    await writeSafetensors(join(folder, "model.safetensors"), ours.model.decoder.weights);
    const saved = await readSafetensors(join(folder, "model.safetensors"));
    await rm(folder, { recursive: true });
    for (const [key, { data }] of rounded.weights) {
      expect(relativeError(saved.get(key)?.data, data), key).toBeLessThan(1e-6);
    }
    await expect(restoreWeights(halves.weights, fixture(name), loadWeights)).rejects.toThrow(/frozen in 16 bits/);
    ours.adapters.reset();
    plain.adapters.reset();
    expect(await ours.model.loss(BATCH)).toBeCloseTo(await plain.model.loss(BATCH), 5);
    for (const { adapters, model } of [ours, plain]) {
      await model.close();
      await adapters.close();
    }
  },
);

it("a weight beyond fp16 is named", async () => {
  const folder = await mkdtemp(join(tmpdir(), "rag-ft-half-"));
  await writeSafetensors(join(folder, "model.safetensors"), [["w", { shape: [1, 2], data: Float32Array.of(1, 7e4) }]]);
  await expect(loadWeights(folder, "F16")).rejects.toThrow(/tensor w: 70000 is beyond fp16 .*base_dtype bf16/);
  expect((await loadWeights(folder, "BF16")).get("w")?.data[1]).toBe(70144);
  await rm(folder, { recursive: true });
});
