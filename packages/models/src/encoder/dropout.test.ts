import { join } from "node:path";
import { floatTensor, input, type Shape, sizesOf, type Value } from "@rag-ft/onnx";
import { clearGradients } from "@rag-ft/train";
import { describe, expect, it } from "vitest";
import { relativeError } from "../testing/relative-error.js";
import { data, fixture, tinyEncoder } from "../testing/tiny-models.js";
import { readSafetensors } from "../weights/read-safetensors.js";
import { elementCount } from "../weights/weight-tensor.js";
import { type Dropout, WindowedDropout } from "./dropout.js";
import { createTokenBatch } from "./token-batch.js";
import { createTrainableEncoder } from "./trainable-encoder.js";

const SEQUENCES = [
  [2, 5, 9, 31, 7, 3],
  [2, 17, 17, 3],
  [2, 39, 3],
];

/** The masks of scripts/make-gradient-references.py: they follow from an element's number and the site's. */
function numberedMasks(): Dropout {
  const shapes: Shape[] = [];
  return {
    mask(shape): Value {
      shapes.push(shape);
      return input(`dropout ${shapes.length - 1}`, "float32", shape);
    },
    draw() {},
    masksOf: ({ dims }) =>
      Object.fromEntries(
        shapes.map((shape, site) => {
          const sizes = sizesOf(shape, dims) ?? [];
          const mask = new Float32Array(elementCount(sizes)).map((_, i) => ((i * 7 + site * 3) % 10 >= 2 ? 1.25 : 0));
          return [`dropout ${site}`, floatTensor(mask, sizes)];
        }),
      ),
  };
}

describe("dropout", () => {
  it.each([0, 2 ** 22])(
    "gives PyTorch's vectors and gradients, the masks being the same; %i bytes kept",
    async (bytes) => {
      const encoder = await tinyEncoder("tiny-bert", "mean");
      const reference = await readSafetensors(join(fixture("tiny-bert"), "dropout.safetensors"));
      const model = await createTrainableEncoder(encoder, { activationBytes: bytes, dropout: numberedMasks() });
      const batch = createTokenBatch(SEQUENCES, 0, "mean");
      expect(relativeError(await model.forwardKeeping(batch), data(reference, "vectors"))).toBeLessThan(1e-5);
      expect(model.keeps(batch)).toBe(bytes > 0);
      await model.backward(batch, data(reference, "vector_gradients"));
      for (const name of encoder.weights.keys()) {
        // A key's bias shifts all scores of a query alike: its gradient is zero but for rounding.
        if (name.endsWith("key.bias")) continue;
        const expected = data(reference, `gradient.${name}`);
        expect(relativeError(model.gradients.get(name), expected), name).toBeLessThan(1e-4);
      }
      await model.close();
    },
  );

  it("is of training alone: other vectors are the plain model's", async () => {
    const encoder = await tinyEncoder("tiny-bert", "mean");
    const batch = createTokenBatch(SEQUENCES, 0, "mean");
    const plain = await createTrainableEncoder(encoder);
    const expected = await plain.forward(batch);
    const dropout = new WindowedDropout(0.1);
    const model = await createTrainableEncoder(encoder, { dropout });
    expect(await model.forward(batch)).toEqual(expected);
    dropout.draw(1);
    expect(relativeError(await model.forwardKeeping(batch), expected)).toBeGreaterThan(0.01);
    await plain.close();
    await model.close();
  });

  it("a chunk that is computed twice has the same masks; they are the seed's", async () => {
    const encoder = await tinyEncoder("tiny-bert", "mean");
    const seeds = Float32Array.from({ length: SEQUENCES.length * 16 }, (_, i) => Math.sin(i));
    const gradientsWith = async (activationBytes: number, seed: number, draws: number[] = []) => {
      const dropout = new WindowedDropout(0.2);
      const model = await createTrainableEncoder(encoder, { activationBytes, dropout });
      // What was drawn before does not matter: a run that goes on has not drawn it.
      for (const step of [...draws, seed]) {
        dropout.draw(step);
        clearGradients(model.gradients);
        const chunks = SEQUENCES.map((sequence) => createTokenBatch([sequence], 0, "mean"));
        for (const chunk of chunks) await model.forwardKeeping(chunk);
        for (const [row, chunk] of chunks.entries()) {
          await model.backward(chunk, seeds.slice(row * 16, (row + 1) * 16));
        }
        model.forgetActivations();
      }
      await model.close();
      return new Map(model.gradients);
    };
    const none = await gradientsWith(0, 7);
    expect(await gradientsWith(2 ** 22, 7)).toEqual(none);
    expect(await gradientsWith(16 * 1024, 7, [3, 4])).toEqual(none);
    expect(await gradientsWith(0, 8)).not.toEqual(none);
  });
});

describe("masks", () => {
  const chunk = createTokenBatch([new Array(100).fill(5), new Array(90).fill(5)], 0, "mean");
  const masksFor = (rate: number, seed: number) => {
    const dropout = new WindowedDropout(rate);
    dropout.mask(["rows", 64]);
    dropout.mask(["batch", 4, "tokens", "tokens"]);
    dropout.draw(seed);
    return dropout.masksOf(chunk);
  };

  it("drop their share, and scale the rest so that the mean stays", () => {
    for (const { data, shape } of Object.values(masksFor(0.1, 1))) {
      expect(data).toHaveLength(elementCount([...shape]));
      const dropped = data.filter((value) => value === 0).length / data.length;
      expect(dropped).toBeGreaterThan(0.085);
      expect(dropped).toBeLessThan(0.115);
      expect(new Set(data as Float32Array)).toEqual(new Set([0, Math.fround(1 / 0.9)]));
    }
  });

  it("differ between sites, batches and draws, and stay a batch's until the next draw", () => {
    const dropout = new WindowedDropout(0.5);
    dropout.mask(["rows", 64]);
    dropout.mask(["rows", 64]);
    const other = createTokenBatch([new Array(100).fill(5), new Array(90).fill(5)], 0, "mean");
    dropout.draw(1);
    const copy = (batch = chunk) => Object.values(dropout.masksOf(batch)).map(({ data }) => data.slice());
    const [first, second] = copy();
    expect(first).not.toEqual(second);
    expect(copy(other)[0]).not.toEqual(first);
    expect(copy()).toEqual([first, second]);
    dropout.draw(2);
    expect(copy()[0]).not.toEqual(first);
    dropout.draw(1);
    expect(copy()).toEqual([first, second]);
  });

  it("must have been drawn", () => {
    const dropout = new WindowedDropout(0.5);
    dropout.mask(["rows", 64]);
    expect(() => dropout.masksOf(chunk)).toThrow(/not drawn/);
  });
});
