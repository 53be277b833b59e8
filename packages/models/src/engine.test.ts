import { join } from "node:path";
import { createSession, floatTensor, intTensor, type Tensor } from "@rag-ft/onnx";
import { clearGradients } from "@rag-ft/train";
import { describe, expect, it } from "vitest";
import { createAnswerBatch } from "./decoder/answer-batch.js";
import { createTrainableDecoder } from "./decoder/trainable-decoder.js";
import type { Pooling } from "./encoder/pooling.js";
import { createTokenBatch } from "./encoder/token-batch.js";
import { createTrainableEncoder } from "./encoder/trainable-encoder.js";
import { exportDecoder } from "./export/export-decoder.js";
import { exportEncoder } from "./export/export-encoder.js";
import { relativeError } from "./testing/relative-error.js";
import { data, fixture, TINY_DECODERS, TINY_EXAMPLES, tinyDecoder, tinyEncoder } from "./testing/tiny-models.js";
import { readSafetensors } from "./weights/read-safetensors.js";

// References by PyTorch: scripts/make-gradient-references.py.
const TOLERANCE = 1e-4;

const SEQUENCES = [
  [2, 5, 9, 31, 7, 3],
  [2, 17, 17, 3],
  [2, 39, 3],
];

/** Longer than the windows of the models that have them. */
const LONG_SEQUENCES = [
  [2, 5, 9, 31, 7, 12, 30, 22, 8, 4, 19, 3],
  [2, 17, 17, 14, 6, 33, 25, 3],
  [2, 39, 3],
];

interface EncoderCase {
  name: string;
  sequences: number[][];
  padId: number;
  /** Inputs of the exported model beside ids and mask. */
  further: string[];
  poolings: readonly Pooling[];
}

const BOTH = ["mean", "cls"] as const;
const ENCODERS: EncoderCase[] = [
  { name: "tiny-bert", sequences: SEQUENCES, padId: 0, further: ["token_type_ids"], poolings: BOTH },
  {
    name: "tiny-xlm-roberta",
    sequences: [
      [0, 5, 9, 31, 7, 2],
      [0, 17, 17, 2],
      [0, 39, 2],
    ],
    padId: 1,
    further: [],
    poolings: BOTH,
  },
  { name: "tiny-modernbert", sequences: LONG_SEQUENCES, padId: 0, further: [], poolings: BOTH },
  { name: "tiny-modernbert-biased", sequences: LONG_SEQUENCES, padId: 0, further: [], poolings: ["mean"] },
  { name: "tiny-embeddinggemma", sequences: LONG_SEQUENCES, padId: 0, further: [], poolings: ["mean"] },
  { name: "tiny-eurobert", sequences: LONG_SEQUENCES, padId: 0, further: [], poolings: ["mean"] },
  {
    name: "tiny-mpnet",
    // Longer than the distance from which on positions are told apart.
    sequences: [
      [0, ...Array.from({ length: 138 }, (_, i) => 4 + ((i * 7) % 35)), 2],
      [0, 17, 17, 2],
      [0, 39, 2],
    ],
    padId: 1,
    further: [],
    poolings: BOTH,
  },
  { name: "tiny-nomic-bert", sequences: SEQUENCES, padId: 0, further: ["token_type_ids"], poolings: ["mean"] },
  { name: "tiny-gte", sequences: LONG_SEQUENCES, padId: 0, further: ["token_type_ids"], poolings: ["mean"] },
  { name: "tiny-jina-v3", sequences: SEQUENCES, padId: 0, further: [], poolings: ["mean"] },
  { name: "tiny-distilbert", sequences: SEQUENCES, padId: 0, further: [], poolings: ["mean"] },
  {
    name: "tiny-qwen3-embedding",
    sequences: LONG_SEQUENCES,
    padId: 0,
    further: [],
    poolings: ["lasttoken", "weightedmean", "max"],
  },
];

describe.each(ENCODERS)("$name", ({ name, sequences, padId, further, poolings }) => {
  it.each(poolings)("gives PyTorch's vectors and gradients with %s pooling", async (pooling) => {
    const encoder = await tinyEncoder(name, pooling);
    const reference = await readSafetensors(join(fixture(name), "reference.safetensors"));
    const model = await createTrainableEncoder(encoder);
    const batch = createTokenBatch(sequences, padId, pooling);
    expect(relativeError(await model.forward(batch), data(reference, `${pooling}.vectors`))).toBeLessThan(1e-5);
    await model.backward(batch, data(reference, "vector_gradients"));
    const names = [...reference.keys()].filter((key) => key.startsWith(`${pooling}.gradient.`));
    expect(names).toHaveLength(encoder.weights.size);
    for (const key of names) {
      const gradient = model.gradients.get(key.slice(`${pooling}.gradient.`.length));
      const expected = data(reference, key);
      // A key's bias shifts all scores of a query alike: its gradient is zero but for rounding.
      if (/(key|attn\.k|k_lin)\.bias$/.test(key))
        expect(Math.max(...(gradient ?? [1]).map(Math.abs))).toBeLessThan(1e-5);
      else expect(relativeError(gradient, expected), key).toBeLessThan(TOLERANCE);
    }
    await model.close();
  });

  it("gives the same bits from activations that were kept", async () => {
    const pooling = poolings[0] as Pooling;
    const encoder = await tinyEncoder(name, pooling);
    const batch = createTokenBatch(sequences, padId, pooling);
    const seeds = Float32Array.from({ length: 3 * encoder.graph.dimensions }, (_, i) => Math.sin(i));
    const gradients = [];
    for (const activationBytes of [0, 2 ** 23]) {
      const model = await createTrainableEncoder(encoder, { activationBytes });
      await model.forwardKeeping(batch);
      expect(model.keeps(batch)).toBe(activationBytes > 0);
      await model.backward(batch, seeds);
      gradients.push(new Map(model.gradients));
      await model.close();
    }
    expect(gradients[1]).toEqual(gradients[0]);
  });

  it("exported, gives PyTorch's hidden states", async () => {
    const encoder = await tinyEncoder(name, "mean");
    const reference = await readSafetensors(join(fixture(name), "reference.safetensors"));
    const session = await createSession(exportEncoder(encoder));
    expect(session.inputNames).toEqual(["input_ids", "attention_mask", ...further]);
    const { ids, mask } = createTokenBatch(sequences, padId, "mean").inputs;
    const zeros = intTensor(new Array(ids.data.length).fill(0), ids.shape);
    const result = await session.run({
      input_ids: ids,
      attention_mask: mask,
      ...Object.fromEntries(further.map((input) => [input, zeros])),
    });
    const hidden = result.last_hidden_state?.data as Float32Array;
    const expected = data(reference, "hidden");
    expect(hidden).toHaveLength(expected.length);
    sequences.forEach((sequence, row) => {
      const [, width = 0] = ids.shape;
      const size = expected.length / ids.data.length;
      const [start, end] = [row * width * size, (row * width + sequence.length) * size];
      expect(relativeError(hidden.slice(start, end), expected.slice(start, end))).toBeLessThan(1e-5);
    });
    await session.close();
  });
});

it("gradients of chunks add up to those of the batch", async () => {
  const encoder = await tinyEncoder("tiny-bert", "mean");
  const reference = await readSafetensors(join(fixture("tiny-bert"), "reference.safetensors"));
  const model = await createTrainableEncoder(encoder);
  const seeds = data(reference, "vector_gradients");
  await model.backward(createTokenBatch(SEQUENCES.slice(0, 1), 0, "mean"), seeds.slice(0, 16));
  await model.backward(createTokenBatch(SEQUENCES.slice(1), 0, "mean"), seeds.slice(16));
  const name = "encoder.layer.0.attention.self.value.weight";
  expect(relativeError(model.gradients.get(name), data(reference, `mean.gradient.${name}`))).toBeLessThan(TOLERANCE);
  await model.close();
});

it("gives the same bits from activations that were kept, and from those of a part of the chunks", async () => {
  const encoder = await tinyEncoder("tiny-bert", "mean");
  const chunks = SEQUENCES.map((sequence, i) => ({ rows: [i], chunk: createTokenBatch([sequence], 0, "mean") }));
  const gradientsWith = async (activationBytes: number) => {
    const model = await createTrainableEncoder(encoder, { activationBytes });
    const kept: boolean[] = [];
    const seeds = Float32Array.from({ length: SEQUENCES.length * 16 }, (_, i) => Math.sin(i));
    for (let step = 0; step < 2; step++) {
      clearGradients(model.gradients);
      for (const { chunk } of chunks) await model.forwardKeeping(chunk);
      kept.push(...chunks.map(({ chunk }) => model.keeps(chunk)));
      for (const { rows, chunk } of chunks) {
        const row = rows[0] as number;
        await model.backward(chunk, seeds.slice(row * 16, (row + 1) * 16));
      }
      model.forgetActivations();
    }
    await model.close();
    return { gradients: new Map(model.gradients), kept };
  };
  const none = await gradientsWith(0);
  const all = await gradientsWith(2 ** 22);
  expect(none.kept).not.toContain(true);
  expect(all.kept).not.toContain(false);
  expect(all.gradients).toEqual(none.gradients);
  const some = await gradientsWith(16 * 1024);
  expect(some.kept).toContain(true);
  expect(some.kept).toContain(false);
  expect(some.gradients).toEqual(none.gradients);
});

describe.each(TINY_DECODERS)("%s", (name) => {
  it("gives PyTorch's loss and gradients, on answers only", async () => {
    const decoder = await tinyDecoder(name);
    const reference = await readSafetensors(join(fixture(name), "reference.safetensors"));
    const model = await createTrainableDecoder(decoder);
    const batch = createAnswerBatch(TINY_EXAMPLES, 0, 1 / 5);
    const expected = data(reference, "loss")[0] as number;
    expect(await model.loss(batch)).toBeCloseTo(expected, 5);
    expect(await model.backward(batch)).toBeCloseTo(expected, 5);
    const names = [...reference.keys()].filter((key) => key.startsWith("gradient."));
    expect(names).toHaveLength(decoder.weights.size);
    for (const key of names) {
      const gradient = model.gradients.get(key.slice("gradient.".length));
      expect(relativeError(gradient, data(reference, key)), key).toBeLessThan(TOLERANCE);
    }
    await model.close();
  });

  it("exported with its cache, writes PyTorch's greedy text", async () => {
    const decoder = await tinyDecoder(name);
    const reference = await readSafetensors(join(fixture(name), "reference.safetensors"));
    const session = await createSession(exportDecoder(decoder));
    const prompt = (TINY_EXAMPLES[0] as (typeof TINY_EXAMPLES)[0]).prompt;
    const { layers, keyValueHeads, headSize } = decoder.graph;
    let cache: Record<string, Tensor> = {};
    for (let layer = 0; layer < layers; layer++) {
      for (const part of ["key", "value"]) {
        cache[`past_key_values.${layer}.${part}`] = floatTensor(new Float32Array(0), [1, keyValueHeads, 0, headSize]);
      }
    }
    const run = async (ids: number[], length: number, keep: number): Promise<Float32Array> => {
      const start = length - ids.length;
      const result = await session.run({
        input_ids: intTensor(ids, [1, ids.length]),
        attention_mask: intTensor(new Array(length).fill(1), [1, length]),
        position_ids: intTensor(
          ids.map((_, i) => start + i),
          [1, ids.length],
        ),
        num_logits_to_keep: intTensor([keep], []),
        ...cache,
      });
      cache = Object.fromEntries(
        Object.entries(result)
          .filter(([key]) => key.startsWith("present."))
          .map(([key, value]) => [key.replace("present.", "past_key_values."), value]),
      );
      return result.logits?.data as Float32Array;
    };
    const empty = cache;
    expect(relativeError(await run(prompt, prompt.length, 0), data(reference, "prefill"))).toBeLessThan(1e-5);
    cache = empty;
    const written = [...prompt];
    let logits = await run(prompt, prompt.length, 1);
    expect(logits).toHaveLength(decoder.graph.vocabularySize);
    while (written.length < data(reference, "greedy").length) {
      const next = logits.indexOf(Math.max(...logits));
      written.push(next);
      logits = await run([next], written.length, 1);
    }
    expect(written).toEqual([...data(reference, "greedy")]);

    // The same at once, without a cache.
    cache = empty;
    const all = await run(written.slice(0, -1), written.length - 1, 0);
    const size = decoder.graph.vocabularySize;
    const likeliest = written.slice(1).map((_, i) => {
      const row = all.subarray(i * size, (i + 1) * size);
      return row.indexOf(Math.max(...row));
    });
    expect(likeliest.slice(prompt.length - 1)).toEqual(written.slice(prompt.length));
    await session.close();
  });
});
