import { compileBf16 } from "@rag-ft/test-utils";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import {
  add,
  bf16Kernel,
  constant,
  createSession,
  floatTensor,
  gemm,
  input,
  matmul,
  precisionHere,
  softmax,
  type Tensor,
  type Value,
} from "./index.js";

const missing = compileBf16();
if (missing) console.log(`skipped: ${missing}`);

/** Rounded to 8 significant bits, to the nearest, ties to even. */
function rounded(data: Float32Array): Float32Array {
  const bits = new Uint32Array(data.slice().buffer);
  const made = bits.map((one) => (one + 0x7fff + ((one >>> 16) & 1)) & 0xffff0000);
  return new Float32Array(made.buffer);
}

function numbers(count: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

async function run(
  outputs: Record<string, Value>,
  inputs: Record<string, Tensor>,
  precision: "fp32" | "bf16" = "bf16",
  threads = 1,
): Promise<Record<string, Tensor>> {
  const session = await createSession({ outputs }, { precision, threads });
  try {
    return await session.run(inputs);
  } finally {
    await session.close();
  }
}

/** op(a) op(b) in double precision. */
function product(
  [a, b]: [Float32Array, Float32Array],
  [rows, columns, inner]: [number, number, number],
  { transA = false, transB = false, alpha = 1 },
): Float64Array {
  const made = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) {
      let sum = 0;
      for (let k = 0; k < inner; k++)
        sum +=
          (a[transA ? k * rows + i : i * inner + k] as number) *
          (b[transB ? j * inner + k : k * columns + j] as number);
      made[i * columns + j] = alpha * sum;
    }
  return made;
}

const largest = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((most, x, i) => Math.max(most, Math.abs(x - (b[i] as number))), 0);

const SIZES: [number, number, number][] = [
  [1, 1, 1],
  [3, 5, 33],
  [12, 32, 64],
  [13, 33, 1],
  [61, 70, 519],
  [250, 40, 1100],
  [7, 2100, 20],
];

describe.skipIf(missing)("products in bf16", () => {
  const kernels = ["emulated"];
  beforeAll(() => {
    const best = bf16Kernel();
    console.log(`bf16 products of this processor: ${best ?? "none"}`);
    if (best) kernels.push(best);
  });
  afterEach(() => vi.unstubAllEnvs());

  test("are those of rounded factors, for all transposes and sizes", async () => {
    for (const kernel of kernels) {
      vi.stubEnv("RAG_FT_BF16_KERNEL", kernel);
      for (const [rows, columns, inner] of SIZES)
        for (const [transA, transB] of [
          [false, false],
          [false, true],
          [true, false],
          [true, true],
        ] as const) {
          const shapeA = transA ? [inner, rows] : [rows, inner];
          const shapeB = transB ? [columns, inner] : [inner, columns];
          const [a, b] = [numbers(rows * inner, 1), numbers(inner * columns, 2)];
          const y = matmul(input("a", "float32", shapeA), input("b", "float32", shapeB), {
            transA,
            transB,
            alpha: 0.5,
          });
          const found = await run({ y }, { a: floatTensor(a, shapeA), b: floatTensor(b, shapeB) });
          const expected = product([rounded(a), rounded(b)], [rows, columns, inner], { transA, transB, alpha: 0.5 });
          const error = largest(found.y?.data as Float32Array, expected);
          expect(error, `${kernel} ${[rows, columns, inner, transA, transB]}`).toBeLessThan(2e-6 * inner + 1e-6);
        }
    }
  });

  test("of batches broadcast their leading dimensions as in fp32", async () => {
    const cases: [number[], number[], boolean][] = [
      [[2, 3, 5, 4], [2, 3, 4, 6], false],
      [[2, 3, 5, 4], [4, 6], false],
      [[3, 5, 4], [1, 4, 6], false],
      [[2, 1, 5, 4], [3, 4, 6], false],
      [[40, 5, 4], [40, 4, 6], false],
      [[2, 4, 5], [4, 6], true],
      [[0, 5, 4], [0, 4, 6], false],
    ];
    for (const kernel of kernels) {
      vi.stubEnv("RAG_FT_BF16_KERNEL", kernel);
      for (const [shapeA, shapeB, transA] of cases) {
        const size = (shape: number[]): number => shape.reduce((x, y) => x * y, 1);
        // Small whole numbers are exact in bf16.
        const whole = (count: number, seed: number): Float32Array => numbers(count, seed).map((x) => Math.round(8 * x));
        const inputs = {
          a: floatTensor(whole(size(shapeA), 3), shapeA),
          b: floatTensor(whole(size(shapeB), 4), shapeB),
        };
        const y = matmul(input("a", "float32", shapeA), input("b", "float32", shapeB), { transA });
        const found = await run({ y }, inputs);
        const expected = await run({ y }, inputs, "fp32");
        expect(found.y, `${kernel} ${shapeA} ${shapeB}`).toEqual(expected.y);
      }
    }
  });

  test("an inner dimension of 0 gives zeros", async () => {
    const y = matmul(input("a", "float32", [2, "n"]), input("b", "float32", ["n", 3]));
    const found = await run(
      { y },
      { a: floatTensor(new Float32Array(), [2, 0]), b: floatTensor(new Float32Array(), [0, 3]) },
    );
    expect(found.y?.data).toEqual(new Float32Array(6));
  });

  test("infinite numbers and NaN stay what they are", async () => {
    for (const kernel of kernels) {
      vi.stubEnv("RAG_FT_BF16_KERNEL", kernel);
      const y = matmul(input("a", "float32", [1, 2]), input("b", "float32", [2, 1]));
      const of = async (a: number[]): Promise<unknown> =>
        Array.from(
          (
            await run(
              { y },
              { a: floatTensor(Float32Array.from(a), [1, 2]), b: floatTensor(Float32Array.of(1, 1), [2, 1]) },
            )
          ).y?.data as Float32Array,
        );
      expect(await of([Number.POSITIVE_INFINITY, 1])).toEqual([Number.POSITIVE_INFINITY]);
      expect(await of([Number.NaN, 1])).toEqual([Number.NaN]);
    }
  });

  test("other operators, biases and several outputs stay as they are; outputs are written where they are to go", async () => {
    const a = input("a", "float32", ["rows", 8]);
    const scores = gemm(a, constant(numbers(8 * 8, 5), [8, 8]), constant(numbers(8, 6)));
    const outputs = { scores, weights: softmax(add(scores, 1)) };
    const inputs = { a: floatTensor(numbers(24, 7), [3, 8]) };
    const exact = await run(outputs, inputs, "fp32");
    const session = await createSession({ outputs }, { precision: "bf16" });
    const into = { scores: floatTensor(new Float32Array(24), [3, 8]) };
    const found = await session.run(inputs, into);
    expect(found.scores).toBe(into.scores);
    for (const name of ["scores", "weights"] as const) {
      const error = largest(found[name]?.data as Float32Array, exact[name]?.data as Float32Array);
      expect(error).toBeGreaterThan(0);
      expect(error).toBeLessThan(0.02);
    }
    await session.close();
    await expect(session.run(inputs)).rejects.toThrow("the session is closed");
  });

  test("many runs at once of one session, and of several", async () => {
    const y = matmul(input("a", "float32", ["rows", 300]), constant(numbers(300 * 200, 8), [300, 200]));
    const sessions = await Promise.all(
      [1, 2, 4].map((threads) => createSession({ outputs: { y } }, { precision: "bf16", threads })),
    );
    const inputs = [1, 2, 3, 4, 5, 6].map((seed) => ({
      a: floatTensor(numbers(40 * seed * 300, seed), [40 * seed, 300]),
    }));
    const runs = await Promise.all(sessions.map((session) => Promise.all(inputs.map((one) => session.run(one)))));
    for (const [i, { y }] of (runs[0] ?? []).entries())
      for (const others of runs.slice(1)) expect(others[i]?.y).toEqual(y);
    await Promise.all(sessions.map((session) => session.close()));
  });

  test("an input that lacks, and a graph that ONNX Runtime refuses, are errors", async () => {
    const session = await createSession(
      { outputs: { y: matmul(input("a", "float32", ["m", "k"]), input("b", "float32", ["k", "n"])) } },
      { precision: "bf16" },
    );
    const a = floatTensor(new Float32Array(4), [2, 2]);
    await expect(session.run({ a })).rejects.toThrow("input b was not given");
    await expect(session.run({ a, b: floatTensor(new Float32Array(3), [3, 1]) })).rejects.toThrow(
      "inner dimensions differ",
    );
    await session.close();
  });

  test("where the processor has none, fp32 is taken, and said", () => {
    vi.stubEnv("RAG_FT_BF16_KERNEL", "none");
    const warn = vi.fn();
    expect(precisionHere("bf16", "cpu", { warn })).toBe("fp32");
    expect(warn).toHaveBeenCalledExactlyOnceWith(expect.stringContaining("neither AVX512_BF16 nor AMX"));
    expect(precisionHere("fp32", "webgpu", { warn })).toBe("fp32");
    expect(() => precisionHere("bf16", "webgpu", { warn })).toThrow("device is webgpu");
  });
});
