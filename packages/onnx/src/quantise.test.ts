import { createRandom } from "@rag-ft/core";
import { afterEach, expect, it } from "vitest";
import { gather, linear } from "./ops/index.js";
import { quantisedModel, quantiseMatrix } from "./quantise.js";
import { type ModelSource, serialiseModel } from "./serialise.js";
import { createSession } from "./session.js";
import type { Session } from "./session-types.js";
import { floatTensor, intTensor } from "./tensor.js";
import { input } from "./value.js";

const ROWS = 2048;
/** Not a multiple of 32: the last block of a row is part empty. */
const COLUMNS = 80;
const random = createRandom(3);
const table = Float32Array.from({ length: ROWS * COLUMNS }, () => random.next() - 0.5);

/** A table of tokens that is the head too, as in decoders with tied embeddings. */
function tied(): ModelSource {
  const ids = input("ids", "int64", ["batch", "tokens"]);
  const x = input("x", "float32", ["rows", COLUMNS]);
  const weight = input("table", "float32", [ROWS, COLUMNS]);
  return {
    outputs: { rows: gather(weight, ids), logits: linear(x, weight) },
    weights: new Map([["table", { data: table }]]),
  };
}

let session: Session | undefined;
afterEach(async () => {
  await session?.close();
  session = undefined;
});

it("looks up and multiplies by one matrix in 8 bits, within half a scale of each number", async () => {
  const quantised = quantisedModel(tied());
  expect([...(quantised.weights?.keys() ?? [])].sort()).toEqual(["table_quantized", "table_scale"]);
  expect(serialiseModel(quantised).length).toBeLessThan(0.4 * serialiseModel(tied()).length);
  session = await createSession(quantised);
  const x = Float32Array.from({ length: 2 * COLUMNS }, () => random.next() - 0.5);
  const ids = [5, 2047, 0];
  const { rows, logits } = await session.run({ ids: intTensor(ids, [1, 3]), x: floatTensor(x, [2, COLUMNS]) });
  expect(rows?.shape).toEqual([1, 3, COLUMNS]);
  const found = rows?.data as Float32Array;
  ids.forEach((id, place) => {
    for (let i = 0; i < COLUMNS; i++) {
      const error = Math.abs((found[place * COLUMNS + i] as number) - (table[id * COLUMNS + i] as number));
      expect(error).toBeLessThan(0.5 / 127 / 2 + 1e-6);
    }
  });
  const products = logits?.data as Float32Array;
  let [difference, size] = [0, 0];
  for (let row = 0; row < 2; row++) {
    for (let id = 0; id < ROWS; id++) {
      let exact = 0;
      for (let i = 0; i < COLUMNS; i++) exact += (x[row * COLUMNS + i] as number) * (table[id * COLUMNS + i] as number);
      difference += ((products[row * ROWS + id] as number) - exact) ** 2;
      size += exact ** 2;
    }
  }
  const error = Math.sqrt(difference / size);
  expect(error).toBeLessThan(0.02);
  expect(error).toBeGreaterThan(1e-4); // It was in 8 bits.
});

it("keeps small tables, and stores numbers as scales and bytes around 128", () => {
  const weight = input("small", "float32", [4, 32]);
  const source: ModelSource = {
    outputs: { rows: gather(weight, input("ids", "int64", ["n"])) },
    weights: new Map([["small", { data: new Float32Array(128).fill(1) }]]),
  };
  expect([...(quantisedModel(source).weights?.keys() ?? [])]).toEqual(["small"]);
  const { bytes, scales, blocks } = quantiseMatrix(Float32Array.of(1.27, -1.27, 0.1, 0, 0, 0), 2, 3);
  expect(blocks).toBe(1);
  expect([...bytes.subarray(0, 4)]).toEqual([255, 1, 138, 128]);
  expect([...bytes.subarray(32, 35)]).toEqual([128, 128, 128]);
  expect(scales[0]).toBeCloseTo(0.01, 6);
  expect(scales[1]).toBe(0);
});
