import {
  concat,
  constant,
  createSession,
  div,
  element,
  expand,
  floatTensor,
  gather,
  gatherElements,
  gemm,
  input,
  intConstant,
  intTensor,
  layerNorm,
  lessOrEqual,
  logSoftmax,
  matmul,
  mul,
  reduceMean,
  reduceSum,
  relu,
  reshape,
  rmsNorm,
  rotary,
  softmax,
  split,
  sub,
  transpose,
  unsqueeze,
  type Value,
  where,
} from "@rag-ft/onnx";
import { describe, expect, it } from "vitest";
import { backward } from "./backward.js";
import { checkGradient, type GradientCase } from "./check-gradient.js";

const at = (values: readonly Value[], index: number): Value => values[index] as Value;

/** Shapes and settings in which a rule that is right for the plain case may be wrong. */
const shapes: Record<string, GradientCase> = {
  "Sub, the first broadcast": { shapes: [[3], [2, 3]], build: (x) => sub(at(x, 0), at(x, 1)) },
  "Mul by a scalar": { shapes: [[2, 3], []], build: (x) => mul(at(x, 0), at(x, 1)) },
  "Div, both broadcast": {
    shapes: [
      [2, 1],
      [1, 3],
    ],
    values: [
      [0, 2],
      [1.5, -2, 3],
    ],
    build: (x) => div(at(x, 0), at(x, 1)),
  },
  "Where, all broadcast": {
    shapes: [[], [2, 1]],
    build: (x) => where(lessOrEqual(constant([0, 1, 2]), constant([1])), at(x, 0), at(x, 1)),
  },
  "FusedMatMul, a matrix for all of a batch": {
    shapes: [
      [2, 3, 4],
      [5, 4],
    ],
    build: (x) => matmul(at(x, 0), at(x, 1), { transB: true, alpha: 0.5 }),
  },
  "FusedMatMul, transposed and broadcast": {
    shapes: [
      [1, 4, 3],
      [2, 2, 4],
    ],
    build: (x) => matmul(at(x, 0), at(x, 1), { transA: true, transB: true }),
  },
  "Gemm, one row": { shapes: [[1, 3], [3, 2], [2]], build: (x) => gemm(at(x, 0), at(x, 1), at(x, 2)) },
  "LayerNormalization, an ε that counts": {
    shapes: [[3, 4], [4], [4]],
    build: (x) => layerNorm(at(x, 0), at(x, 1), at(x, 2), 0.5),
  },
  "SimplifiedLayerNormalization, an ε that counts": {
    shapes: [[2, 3, 4], [4]],
    build: (x) => rmsNorm(at(x, 0), at(x, 1), 0.5),
  },
  "Reshape, to fewer dimensions": {
    shapes: [[2, 3, 2]],
    build: (x) => mul(reshape(at(x, 0), [12]), constant([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])),
  },
  "Unsqueeze, before the last": { shapes: [[2, 3]], build: (x) => mul(unsqueeze(at(x, 0), [1]), constant([1, 2, 3])) },
  "Transpose, a cycle of four": {
    shapes: [[2, 3, 1, 4]],
    build: (x) => mul(transpose(at(x, 0), [1, 3, 0, 2]), constant([2, 5], [2, 1])),
  },
  "Concat, three on the first axis": {
    shapes: [
      [1, 2],
      [3, 2],
      [2, 2],
    ],
    build: (x) => concat([at(x, 0), at(x, 1), at(x, 2)], 0),
  },
  "Split, on the first axis": {
    shapes: [[4, 2]],
    build: (x) => {
      const [a, b] = split(at(x, 0), [1, 3], 0) as [Value, Value];
      return mul(a, b);
    },
  },
  "Expand, with a new axis": { shapes: [[3]], build: (x) => expand(at(x, 0), [2, 3], intConstant([2, 3])) },
  "ReduceSum, a middle axis": {
    shapes: [[2, 3, 4]],
    build: (x) => mul(reduceSum(at(x, 0), [1]), at(x, 0).shape.length),
  },
  "ReduceMean, two axes of different sizes": { shapes: [[2, 3, 4]], build: (x) => reduceMean(at(x, 0), [0, 2]) },
  "Gather, one entry of a vector": { shapes: [[4]], build: (x) => mul(element(at(x, 0), 2), element(at(x, 0), 1)) },
  "Gather, rows of matrices": {
    shapes: [[3, 2, 2]],
    others: { ids: intTensor([2, 2, 0], [3]) },
    build: (x, { ids }) => gather(at(x, 0), ids as Value),
  },
  "GatherElements, the same ones by column": {
    shapes: [[3, 2]],
    others: { ids: intTensor([2, 0, 2, 1, 2, 0], [3, 2]) },
    build: (x, { ids }) => gatherElements(at(x, 0), ids as Value, 0),
  },
  "RotaryEmbedding, places of its own for each row": {
    shapes: [[2, 1, 2, 4]],
    others: { positions: intTensor([0, 2, 1, 1], [2, 2]) },
    build: (x, { positions }) => turned(at(x, 0), positions as Value),
  },
  "RotaryEmbedding, from the first place on": {
    shapes: [[2, 2, 3, 4]],
    build: (x) => turned(at(x, 0), intConstant([0])),
  },
};

function turned(x: Value, positions: Value): Value {
  const cosine = constant([1, 1, 0.6, 0.8, -0.28, 0.28], [3, 2]);
  return rotary(x, positions, cosine, constant([0, 0, 0.8, 0.6, 0.96, 0.96], [3, 2]));
}

it.each(Object.entries(shapes))("%s equals finite differences", async (_, test) => {
  const { worst, largest } = await checkGradient(test);
  expect(largest).toBeGreaterThan(1e-3);
  expect(worst).toBeLessThan(3e-3);
});

/** Gradients of Σ weights · y where finite differences say nothing: at corners and far out. */
interface Corner {
  x: number[];
  /** Of the output. */
  weights: number[];
  build(x: Value): Value;
  gradient: number[];
}

const rows = (x: Value): Value => reshape(x, [1, 3]);
const E = Math.E / (Math.E + 1);
const corners: Record<string, Corner> = {
  "Relu at 0 is flat": { x: [0, -0, 2], weights: [3, 5, 7], build: relu, gradient: [0, 0, 7] },
  "Where goes by the condition alone, ties included": {
    x: [-1, 0, 1],
    weights: [3, 5, 7],
    build: (x) => where(lessOrEqual(x, constant(0)), mul(x, 2), mul(x, 10)),
    gradient: [6, 10, 70],
  },
  "a product with 0 has the other's gradient": {
    x: [0, 0, 2],
    weights: [3, 5, 7],
    build: (x) => mul(x, constant([4, 0, 0])),
    gradient: [12, 0, 0],
  },
  "Softmax gives a masked place nothing, and no NaN": {
    x: [1, 0, -1e9],
    weights: [1, 0, 9],
    build: (x) => softmax(rows(x)),
    gradient: [E * (1 - E), -E * (1 - E), 0],
  },
  "Softmax of equal scores": {
    x: [5, 5, 5],
    weights: [3, 0, 0],
    build: (x) => softmax(rows(x)),
    gradient: [2 / 3, -1 / 3, -1 / 3],
  },
  "LogSoftmax far apart": {
    x: [100, -100, 0],
    weights: [0, 1, 0],
    build: (x) => logSoftmax(rows(x)),
    gradient: [-1, 1, 0],
  },
  "LayerNormalization of a constant row is finite": {
    x: [2, 2, 2],
    weights: [3, 0, 0],
    build: (x) => layerNorm(rows(x), constant([1, 1, 1]), constant([0, 0, 0]), 0.25),
    gradient: [4, -2, -2],
  },
  "SimplifiedLayerNormalization of a zero row is finite": {
    x: [0, 0, 0],
    weights: [3, 0, 1],
    build: (x) => rmsNorm(rows(x), constant([1, 1, 2]), 0.25),
    gradient: [6, 0, 4],
  },
  "rows taken several times have the sum of their gradients, rows not taken none": {
    x: [1, 2, 3],
    weights: [1, 10, 100, 1000],
    build: (x) => gather(x, intConstant([2, 0, 2, 2])),
    gradient: [10, 0, 1101],
  },
  "a division of 0": {
    x: [0, 6, 1],
    weights: [1, 1, 1],
    build: (x) => div(x, constant([4, 2, -1])),
    gradient: [0.25, 0.5, -1],
  },
};

describe("by hand", () => {
  it.each(Object.entries(corners))("%s", async (_, { x, weights, build, gradient }) => {
    const value = input("x", "float32", [x.length]);
    const output = build(value);
    const [dx] = backward([[output, constant(weights, output.shape as number[])]], [value]) as [Value];
    const session = await createSession({ outputs: { dx }, inputs: [value] });
    const result = await session.run({ x: floatTensor(Float32Array.from(x), [x.length]) });
    const found = [...(result.dx?.data ?? [])].map(Number);
    expect(found).toHaveLength(gradient.length);
    gradient.forEach((expected, i) => {
      expect(found[i]).toBeCloseTo(expected, 5);
    });
    await session.close();
  });
});
