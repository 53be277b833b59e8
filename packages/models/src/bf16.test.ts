import { join } from "node:path";
import { compileBf16 } from "@rag-ft/test-utils";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAnswerBatch } from "./decoder/answer-batch.js";
import { createTrainableDecoder } from "./decoder/trainable-decoder.js";
import { createTokenBatch } from "./encoder/token-batch.js";
import { createTrainableEncoder } from "./encoder/trainable-encoder.js";
import { relativeError } from "./testing/relative-error.js";
import { data, fixture, TINY_EXAMPLES, tinyDecoder, tinyEncoder } from "./testing/tiny-models.js";
import { readSafetensors } from "./weights/read-safetensors.js";

// The references of engine.test.ts, by PyTorch in fp32: bf16 has 8 significant bits, so that a rounded number is off by at most 0.4 %, and small
// gradients that are differences of larger ones by more.
const TOLERANCE = 0.08;
const missing = compileBf16();
if (missing) console.log(`skipped: ${missing}`);

describe.skipIf(missing)("in bf16, by the kernel that runs on any processor", () => {
  beforeAll(() => {
    process.env.RAG_FT_BF16_KERNEL = "emulated";
  });
  afterAll(() => {
    delete process.env.RAG_FT_BF16_KERNEL;
  });

  it.each(["tiny-bert", "tiny-modernbert"])(
    "%s gives PyTorch's vectors and gradients but for rounding",
    async (name) => {
      const encoder = await tinyEncoder(name, "mean");
      const reference = await readSafetensors(join(fixture(name), "reference.safetensors"));
      const model = await createTrainableEncoder(encoder, { precision: "bf16" });
      const sequences =
        name === "tiny-bert"
          ? [
              [2, 5, 9, 31, 7, 3],
              [2, 17, 17, 3],
              [2, 39, 3],
            ]
          : [
              [2, 5, 9, 31, 7, 12, 30, 22, 8, 4, 19, 3],
              [2, 17, 17, 14, 6, 33, 25, 3],
              [2, 39, 3],
            ];
      const batch = createTokenBatch(sequences, 0, "mean");
      const vectors = await model.forward(batch);
      const error = relativeError(vectors, data(reference, "mean.vectors"));
      expect(error).toBeLessThan(TOLERANCE);
      expect(error).toBeGreaterThan(1e-5);
      await model.backward(batch, data(reference, "vector_gradients"));
      for (const [key, gradient] of model.gradients) {
        if (key.endsWith("key.bias")) continue; // zero but for rounding
        expect(relativeError(gradient, data(reference, `mean.gradient.${key}`)), key).toBeLessThan(TOLERANCE);
      }
      await model.close();
    },
  );

  it.each(["tiny-llama", "tiny-qwen2"])("%s gives PyTorch's loss and gradients but for rounding", async (name) => {
    const decoder = await tinyDecoder(name);
    const reference = await readSafetensors(join(fixture(name), "reference.safetensors"));
    const model = await createTrainableDecoder(decoder, { precision: "bf16" });
    const loss = await model.backward(createAnswerBatch(TINY_EXAMPLES, 0, 1 / 5));
    expect(loss).toBeCloseTo(data(reference, "loss")[0] as number, 1);
    for (const [key, gradient] of model.gradients)
      expect(relativeError(gradient, data(reference, `gradient.${key}`)), key).toBeLessThan(TOLERANCE);
    await model.close();
  });
});
