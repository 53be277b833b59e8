import { join } from "node:path";
import { requireDevice } from "@rag-ft/onnx";
import { describe, expect, it } from "vitest";
import { createAnswerBatch } from "./decoder/answer-batch.js";
import { createTrainableDecoder } from "./decoder/trainable-decoder.js";
import { createTokenBatch } from "./encoder/token-batch.js";
import { createTrainableEncoder } from "./encoder/trainable-encoder.js";
import { relativeError } from "./testing/relative-error.js";
import { data, fixture, tinyDecoder, tinyEncoder } from "./testing/tiny-models.js";
import { readSafetensors } from "./weights/read-safetensors.js";

// The same references as engine.test.ts, on a GPU where there is one.
const DEVICE = "webgpu";
const TOLERANCE = 1e-3;
const missing = await requireDevice(DEVICE).then(
  () => undefined,
  (error: Error) => error.message,
);

describe.each(["tiny-bert", "tiny-xlm-roberta"])(`${DEVICE}: %s`, (name) => {
  it("gives PyTorch's vectors and, summed over two runs, its gradients", async (context) => {
    if (missing) context.skip(missing);
    const encoder = await tinyEncoder(name, "mean");
    const reference = await readSafetensors(join(fixture(name), "reference.safetensors"));
    const model = await createTrainableEncoder(encoder, { device: DEVICE });
    const [first, last, padId] = name === "tiny-bert" ? [2, 3, 0] : [0, 2, 1];
    const sequences = [
      [first, 5, 9, 31, 7, last],
      [first, 17, 17, last],
      [first, 39, last],
    ];
    const vectors = await model.forward(createTokenBatch(sequences, padId, "mean"));
    expect(relativeError(vectors, data(reference, "mean.vectors"))).toBeLessThan(TOLERANCE);
    const seeds = data(reference, "vector_gradients");
    await model.backward(createTokenBatch(sequences.slice(0, 1), padId, "mean"), seeds.slice(0, 16));
    await model.backward(createTokenBatch(sequences.slice(1), padId, "mean"), seeds.slice(16));
    for (const [key, gradient] of model.gradients) {
      if (key.endsWith("key.bias")) continue; // zero but for rounding
      expect(relativeError(gradient, data(reference, `mean.gradient.${key}`)), key).toBeLessThan(TOLERANCE);
    }
    await model.close();
  });
});

describe.each(["tiny-llama", "tiny-llama-untied", "tiny-qwen2"])(`${DEVICE}: %s`, (name) => {
  it("gives PyTorch's loss and gradients", async (context) => {
    if (missing) context.skip(missing);
    const decoder = await tinyDecoder(name);
    const reference = await readSafetensors(join(fixture(name), "reference.safetensors"));
    const model = await createTrainableDecoder(decoder, { device: DEVICE });
    const examples = [
      { prompt: [1, 5, 9, 30, 7], answer: [11, 12, 2] },
      { prompt: [1, 17, 4], answer: [38, 2] },
    ];
    const loss = await model.backward(createAnswerBatch(examples, 0, 1 / 5));
    expect(loss).toBeCloseTo(data(reference, "loss")[0] as number, 3);
    for (const [key, gradient] of model.gradients) {
      expect(relativeError(gradient, data(reference, `gradient.${key}`)), key).toBeLessThan(TOLERANCE);
    }
    await model.close();
  });
});
