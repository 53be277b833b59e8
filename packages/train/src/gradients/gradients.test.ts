import {
  add,
  apply,
  attention,
  cast,
  causalAttention,
  causalBlocks,
  concat,
  constant,
  createSession,
  div,
  erf,
  exp,
  expand,
  gated,
  gather,
  gatherElements,
  gelu,
  geluTanh,
  gemm,
  input,
  intConstant,
  intTensor,
  layerNorm,
  lessOrEqual,
  log,
  logSoftmax,
  MASKED,
  matmul,
  mul,
  neg,
  orderNodes,
  reduceMean,
  reduceSum,
  relu,
  reshape,
  rmsNorm,
  rotary,
  sigmoid,
  silu,
  softmax,
  split,
  sqrt,
  sub,
  tanh,
  transpose,
  unsqueeze,
  type Value,
  where,
  windowBias,
} from "@rag-ft/onnx";
import { describe, expect, it } from "vitest";
import { backward, gradientRules } from "./backward.js";
import { checkGradient, type GradientCase } from "./check-gradient.js";

const at = (values: readonly Value[], index: number): Value => values[index] as Value;
const unary = (build: (x: Value) => Value, values?: number[], expected?: number[]): GradientCase => ({
  shapes: [values ? [values.length] : [2, 3]],
  build: (x) => build(at(x, 0)),
  ...(values ? { values: [values] } : {}),
  ...(expected ? { expected } : {}),
});
const causal = (tokens: number, blocks: number, window?: number): GradientCase => ({
  shapes: [
    [1, 4, tokens, 3],
    [1, 2, tokens, 3],
    [1, 2, tokens, 3],
  ],
  build: (x) =>
    causalAttention(
      at(x, 0),
      at(x, 1),
      at(x, 2),
      causalBlocks(intConstant([tokens], []), { count: blocks, ...(window ? { window } : {}) }),
    ),
});
const binary = (build: (a: Value, b: Value) => Value, a: number[], b: number[], values?: number[][]): GradientCase => ({
  shapes: [a, b],
  build: (x) => build(at(x, 0), at(x, 1)),
  ...(values ? { values } : {}),
});

/** Cases of each rule: broadcasts, ties and zeros where they matter; names start with the operator. */
const cases: Record<string, GradientCase> = {
  Add: {
    ...binary(
      add,
      [2, 2],
      [2],
      [
        [1, 2, 3, 4],
        [10, 20],
      ],
    ),
    expected: [11, 22, 13, 24],
  },
  "Add, both broadcast": binary(add, [2, 1], [1, 3]),
  Sub: {
    ...binary(
      sub,
      [2],
      [2],
      [
        [5, 1],
        [2, 7],
      ],
    ),
    expected: [3, -6],
  },
  "Sub, scalar": binary(sub, [2, 3], []),
  Mul: {
    ...binary(
      mul,
      [3],
      [3],
      [
        [1, 2, 0],
        [4, 0, 0],
      ],
    ),
    expected: [4, 0, 0],
  },
  "Mul, a square": unary((x) => mul(x, x), [-1, 0, 2], [1, 0, 4]),
  "Mul, broadcast": binary(mul, [2, 3, 4], [3, 1]),
  Div: {
    ...binary(
      div,
      [2],
      [2],
      [
        [6, -3],
        [2, 1.5],
      ],
    ),
    expected: [3, -2],
  },
  "Div, broadcast": binary(
    div,
    [2, 2],
    [2],
    [
      [1, 2, 3, 4],
      [1.5, -2],
    ],
  ),
  Neg: unary(neg, [1, -2], [-1, 2]),
  Exp: unary(exp, [0, 1], [1, Math.E]),
  Log: unary(log, [1, 2], [0, Math.LN2]),
  Sqrt: unary(sqrt, [4, 2.25], [2, 1.5]),
  Erf: unary(erf, [0, 1, -1], [0, 0.8427008, -0.8427008]),
  Tanh: unary(tanh, [0, 0.5], [0, 0.4621172]),
  Sigmoid: unary(sigmoid, [0, 2], [0.5, 0.8807971]),
  "Sigmoid in SiLU": unary(silu),
  Relu: unary(relu, [-1, 2, 0.5], [0, 2, 0.5]),
  // The first key of the second text is padding.
  Attention: {
    shapes: [
      [2, 2, 3, 4],
      [2, 2, 3, 4],
      [2, 2, 3, 4],
    ],
    build: (x) =>
      attention(at(x, 0), at(x, 1), at(x, 2), constant([0, 0, 0, 0, 0, 0, MASKED, 0, 0, MASKED, 0, 0], [2, 2, 3, 1])),
  },
  "Attention, dropout": {
    shapes: [
      [1, 2, 3, 4],
      [1, 2, 3, 4],
      [1, 2, 3, 4],
    ],
    build: (x) => {
      const dropout = constant([2, 0, 2, 2, 2, 0, 0, 2, 2, 2, 2, 2, 0, 0, 0, 2, 0, 2], [1, 2, 3, 3]);
      return attention(at(x, 0), at(x, 1), at(x, 2), constant([0, 0, 0, 0, MASKED, 0], [1, 2, 3, 1]), { dropout });
    },
  },
  "Attention, a bias of each head, and padding": {
    shapes: [
      [2, 2, 3, 4],
      [2, 2, 3, 4],
      [2, 2, 3, 4],
      [1, 2, 3, 3],
    ],
    build: (x) => {
      const padding = constant([0, 0, 0, 0, 0, 0, 0, 0, MASKED, 0, 0, MASKED], [2, 2, 3, 1]);
      return attention(at(x, 0), at(x, 1), at(x, 2), padding, { bias: at(x, 3) });
    },
  },
  "Attention, a window, and dropout": {
    shapes: [
      [1, 2, 4, 2],
      [1, 2, 4, 2],
      [1, 2, 4, 2],
    ],
    build: (x) => {
      const positions = intConstant([0, 1, 2, 3]);
      const dropout = constant([...new Array(16).fill(2), ...new Array(15).fill(0.5), 0], [1, 2, 4, 4]);
      const bias = windowBias(positions, positions, 1);
      return attention(at(x, 0), at(x, 1), at(x, 2), constant(new Array(8).fill(0), [1, 2, 4, 1]), { bias, dropout });
    },
  },
  CausalAttention: causal(13, 6),
  "CausalAttention, a window": causal(13, 6, 3),
  "CausalAttention, one block": causal(5, 1),
  "CausalAttention, more blocks than tokens": causal(4, 6),
  QuickGelu: unary(silu, [0, 1, -1, 4], [0, 0.7310586, -0.2689414, 3.9280551]),
  "QuickGelu in a gated product": binary((a, b) => gated(silu(a), b), [2, 3], [2, 3]),
  Gelu: unary(gelu, [0, 1, -1], [0, 0.8413447, -0.1586553]),
  "Tanh in GELU's approximation": unary(geluTanh),
  Where: {
    ...binary(
      (a, b) => where(lessOrEqual(a, constant([0, 0, 0])), mul(a, 2), b),
      [3],
      [3],
      [
        [-1, 2, 3],
        [5, 6, 7],
      ],
    ),
    expected: [-2, 6, 7],
  },
  FusedMatMul: {
    ...binary(
      matmul,
      [1, 2],
      [2, 1],
      [
        [1, 2],
        [3, 4],
      ],
    ),
    expected: [11],
  },
  "FusedMatMul, factor": binary((a, b) => matmul(a, b, { alpha: 0.5 }), [2, 3, 4], [2, 4, 2]),
  "FusedMatMul, b transposed": binary((a, b) => matmul(a, b, { transB: true }), [2, 3, 4], [2, 2, 4]),
  "FusedMatMul, a transposed": binary((a, b) => matmul(a, b, { transA: true }), [2, 4, 3], [2, 4, 2]),
  "FusedMatMul, both transposed": binary(
    (a, b) => matmul(a, b, { transA: true, transB: true, alpha: 3 }),
    [4, 3],
    [2, 4],
  ),
  "FusedMatMul, batch broadcast": binary(matmul, [2, 3, 2, 4], [2, 1, 4, 2]),
  Gemm: { shapes: [[2, 3], [3, 4], [4]], build: (x) => gemm(at(x, 0), at(x, 1), at(x, 2)) },
  "Gemm, by hand": {
    ...binary(
      gemm,
      [1, 2],
      [2, 2],
      [
        [1, 2],
        [1, 2, 3, 4],
      ],
    ),
    expected: [7, 10],
  },
  "Gemm, b transposed": binary((a, b) => gemm(a, b, undefined, { transB: true }), [2, 3], [4, 3]),
  "Gemm, a transposed": binary((a, b) => gemm(a, b, undefined, { transA: true }), [3, 2], [3, 4]),
  "Gemm, both transposed": binary((a, b) => gemm(a, b, undefined, { transA: true, transB: true }), [3, 2], [4, 3]),
  Softmax: unary(softmax, [0, 0], [0.5, 0.5]),
  "Softmax, rows": unary(softmax),
  LogSoftmax: unary(logSoftmax, [0, 0], [-Math.LN2, -Math.LN2]),
  "LogSoftmax, rows": unary(logSoftmax),
  LayerNormalization: {
    shapes: [[2, 3, 4], [4], [4]],
    build: (x) => layerNorm(at(x, 0), at(x, 1), at(x, 2), 1e-12),
  },
  "LayerNormalization, by hand": {
    shapes: [[1, 2], [2], [2]],
    values: [
      [1, 3],
      [1, 2],
      [0, 1],
    ],
    build: (x) => layerNorm(at(x, 0), at(x, 1), at(x, 2), 1e-6),
    expected: [-1, 3],
  },
  SimplifiedLayerNormalization: { shapes: [[2, 3, 4], [4]], build: (x) => rmsNorm(at(x, 0), at(x, 1), 1e-5) },
  "SimplifiedLayerNormalization, by hand": {
    shapes: [[1, 2], [2]],
    values: [
      [1, 7],
      [1, 2],
    ],
    build: (x) => rmsNorm(at(x, 0), at(x, 1), 1e-9),
    expected: [0.2, 2.8],
  },
  Identity: unary((x) => apply("Identity", [x], { dtype: x.dtype, shape: x.shape }), [1, 2], [1, 2]),
  Reshape: unary((x) => mul(reshape(x, [3, 2]), constant([1, 2]))),
  Unsqueeze: unary((x) => mul(unsqueeze(x, [0, 2]), constant([1, 2, 3]))),
  Transpose: { shapes: [[2, 3, 4]], build: (x) => mul(transpose(at(x, 0), [2, 0, 1]), constant([1, 2, 3])) },
  Concat: {
    ...binary(
      (a, b) => concat([a, b], 1),
      [2, 1],
      [2, 2],
      [
        [1, 2],
        [3, 4, 5, 6],
      ],
    ),
    expected: [1, 3, 4, 2, 5, 6],
  },
  Split: {
    shapes: [[2, 3]],
    values: [[1, 2, 3, 4, 5, 6]],
    build: (x) => {
      const [a, b] = split(at(x, 0), [1, 2], 1) as [Value, Value];
      return mul(a, b);
    },
    expected: [2, 3, 20, 24],
  },
  "Split, a part unused": { shapes: [[2, 3]], build: (x) => at(split(at(x, 0), [1, 2], 1), 1) },
  Expand: { shapes: [[2, 1]], build: (x) => expand(at(x, 0), [2, 3], intConstant([2, 3])) },
  ReduceSum: { shapes: [[2, 2]], values: [[1, 2, 3, 4]], build: (x) => reduceSum(at(x, 0), [1]), expected: [3, 7] },
  "ReduceSum, axes kept": { shapes: [[2, 3, 2]], build: (x) => reduceSum(at(x, 0), [0, 2], { keepDims: true }) },
  ReduceMean: { shapes: [[2, 2]], values: [[1, 2, 3, 4]], build: (x) => reduceMean(at(x, 0), [0]), expected: [2, 3] },
  "ReduceMean, last axis": { shapes: [[2, 3]], build: (x) => reduceMean(at(x, 0), [-1], { keepDims: true }) },
  Gather: {
    shapes: [[3, 2]],
    values: [[1, 2, 3, 4, 5, 6]],
    others: { ids: intTensor([2, 0, 2], [3]) },
    build: (x, { ids }) => gather(at(x, 0), ids as Value),
    expected: [5, 6, 1, 2, 5, 6],
  },
  "Gather, indices of rank 2": {
    shapes: [[4, 3]],
    others: { ids: intTensor([0, 1, 1, 3], [2, 2]) },
    build: (x, { ids }) => gather(at(x, 0), ids as Value),
  },
  GatherElements: {
    shapes: [[2, 3]],
    values: [[1, 2, 3, 4, 5, 6]],
    others: { ids: intTensor([2, 0, 1, 1], [2, 2]) },
    build: (x, { ids }) => gatherElements(at(x, 0), ids as Value, 1),
    expected: [3, 1, 5, 5],
  },
  RotaryEmbedding: {
    shapes: [[1, 2, 3, 4]],
    others: { positions: intTensor([0, 1, 2], [1, 3]) },
    build: (x, { positions }) =>
      rotary(
        at(x, 0),
        positions as Value,
        constant([1, 1, 0.6, 0.8, -0.28, 0.28], [3, 2]),
        constant([0, 0, 0.8, 0.6, 0.96, 0.96], [3, 2]),
      ),
  },
};

/** Operators without a case that bears their name and has them in its graph. Forward values: operator-references.test.ts. */
function withoutCase(operators: readonly string[]): string[] {
  const covered = new Set(
    Object.entries(cases).flatMap(([name, { shapes, others = {}, build }]) => {
      const inputs = shapes.map((shape, i) => input(`x${i}`, "float32", shape));
      const further = Object.entries(others).map(([key, { dtype, shape }]) => [key, input(key, dtype, shape)]);
      const nodes = orderNodes([build(inputs, Object.fromEntries(further))]);
      return nodes.flatMap(({ op }) => (op === name.split(/[ ,]/)[0] ? [op] : []));
    }),
  );
  return operators.filter((op) => !covered.has(op));
}

describe("gradient rules", () => {
  it("each have a case of their own", () => {
    expect(withoutCase(Object.keys(gradientRules))).toEqual([]);
    expect(withoutCase(["Add", "Cosh"])).toEqual(["Cosh"]);
  });

  it.each(Object.entries(cases))("%s equals finite differences", async (_, test) => {
    const { output, worst, largest } = await checkGradient(test);
    if (test.expected) {
      expect(output).toHaveLength(test.expected.length);
      test.expected.forEach((value, i) => {
        expect(output[i]).toBeCloseTo(value, 5);
      });
    }
    expect(largest).toBeGreaterThan(1e-3);
    expect(worst).toBeLessThan(3e-3);
  });

  it("a missing rule is an error that names the operator", () => {
    const x = input("x", "float32", [2]);
    const y = apply("Cosh", [x], { dtype: "float32", shape: [2] });
    expect(() => backward([[y, constant([1, 1])]], [x])).toThrow(/no gradient rule for operator Cosh/);
  });

  it("gradients of a value used twice add up, and a value without influence gets zeros", async () => {
    const x = input("x", "float32", [2]);
    const unused = input("unused", "float32", ["n"]);
    const y = add(mul(x, 3), mul(x, x));
    const [dx, dz] = backward([[y, constant([1, 1])]], [x, unused]) as [Value, Value];
    const session = await createSession({ outputs: { dx, dz } });
    const result = await session.run({
      x: { dtype: "float32", shape: [2], data: Float32Array.of(1, -2) },
      unused: { dtype: "float32", shape: [3], data: Float32Array.of(1, 2, 3) },
    });
    expect([...(result.dx?.data ?? [])]).toEqual([5, -1]);
    expect([...(result.dz?.data ?? [])]).toEqual([0, 0, 0]);
    await session.close();
  });

  it("no gradient is built for what leads to no wanted value", () => {
    const x = input("x", "float32", [2]);
    const mask = cast(input("mask", "int64", [2]), "float32");
    const undifferentiable = apply("Cosh", [mask], { dtype: "float32", shape: [2] });
    expect(() => backward([[mul(x, undifferentiable), constant([1, 1])]], [x])).not.toThrow();
  });
});
