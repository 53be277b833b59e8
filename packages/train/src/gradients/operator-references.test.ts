import { readFileSync } from "node:fs";
import {
  add,
  apply,
  attention,
  causalAttention,
  causalBlocks,
  concat,
  constant,
  createSession,
  div,
  erf,
  exp,
  expand,
  floatTensor,
  gather,
  gatherElements,
  gelu,
  gemm,
  input,
  intConstant,
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
} from "@rag-ft/onnx";
import { describe, expect, it } from "vitest";
import { backward, gradientRules } from "./backward.js";

interface Reference {
  inputs: { shape: number[]; data: number[] }[];
  /** Of the output's elements, in the sum whose gradients these are. */
  weights: number[];
  output: number[];
  gradients: number[][];
}

// Made by PyTorch in double precision: scripts/make-operator-references.py.
const references: Record<string, Reference> = JSON.parse(
  readFileSync(new URL("../fixtures/operators.json", import.meta.url), "utf8"),
);

type Build = (x: Value, y: Value, z: Value) => Value;

/** Angles of `rotary` in the script: 0.5 and 0.1 a position. */
const angles = Array.from({ length: 6 }, (_, position) => [0.5 * position, 0.1 * position]).flat();
const positions = { cosine: constant(angles.map(Math.cos), [6, 2]), sine: constant(angles.map(Math.sin), [6, 2]) };
const padding = constant([0, 0, 0, 0, 0, 0, 0, MASKED, MASKED, 0, MASKED, MASKED], [2, 2, 3, 1]);

/** The operators as the references have them. */
const graphs: Record<string, Build> = {
  Add: add,
  Sub: sub,
  Mul: mul,
  Div: div,
  Neg: neg,
  Exp: exp,
  Log: log,
  Sqrt: sqrt,
  Erf: erf,
  Tanh: tanh,
  Sigmoid: sigmoid,
  Relu: relu,
  Gelu: gelu,
  QuickGelu: silu,
  Where: (x, y) => where(lessOrEqual(constant([0, 1, 0, 1, 1, 0], [2, 3]), constant(0)), x, y),
  FusedMatMul: (x, y) => matmul(x, y, { transB: true, alpha: 0.3 }),
  Gemm: (x, y, z) => gemm(x, y, z, { transB: true }),
  Softmax: softmax,
  LogSoftmax: logSoftmax,
  LayerNormalization: (x, y, z) => layerNorm(x, y, z, 1e-3),
  SimplifiedLayerNormalization: (x, y) => rmsNorm(x, y, 1e-3),
  Identity: (x) => apply("Identity", [x], { dtype: x.dtype, shape: x.shape }),
  Reshape: (x) => reshape(x, [3, 4]),
  Unsqueeze: (x) => unsqueeze(x, [0, 2]),
  Transpose: (x) => transpose(x, [2, 0, 1]),
  Concat: (x, y) => concat([x, y], 1),
  Split: (x) => split(x, [1, 3], 0)[1] as Value,
  Expand: (x) => expand(x, [3, 2, 4], intConstant([3, 2, 4])),
  ReduceSum: (x) => reduceSum(x, [0, 2]),
  ReduceMean: (x) => reduceMean(x, [1], { keepDims: true }),
  Gather: (x) => gather(x, intConstant([2, 0, 2, 2], [2, 2])),
  GatherElements: (x) => gatherElements(x, intConstant([2, 0, 0, 1, 1, 2], [2, 3]), 1),
  RotaryEmbedding: (x) => rotary(x, intConstant([0, 2, 5], [1, 3]), positions.cosine, positions.sine),
  Attention: (x, y, z) => attention(x, y, z, padding),
  CausalAttention: (x, y, z) => causalAttention(x, y, z, causalBlocks(intConstant([7], []), { count: 3 })),
};

/** Operators of a table without a reference whose graph has them. */
function withoutReference(operators: readonly string[]): string[] {
  return operators.filter((op) => {
    const inputs = (references[op]?.inputs ?? []).map(({ shape }, i) => input(`x${i}`, "float32", shape));
    const built = graphs[op]?.(...(inputs as [Value, Value, Value]));
    return !built || !orderNodes([built]).some((node) => node.op === op);
  });
}

function expectClose(found: ArrayLike<number> | undefined, expected: readonly number[]): void {
  expect(found).toHaveLength(expected.length);
  const largest = Math.max(1, ...expected.map(Math.abs));
  expected.forEach((value, i) => {
    expect(Math.abs((found?.[i] as number) - value) / largest).toBeLessThan(1e-5);
  });
}

describe("PyTorch's values and gradients", () => {
  it("are there for each rule", () => {
    expect(withoutReference(Object.keys(gradientRules))).toEqual([]);
    expect(withoutReference(["Add", "Cosh"])).toEqual(["Cosh"]);
  });

  it.each(Object.entries(references))("%s equals them", async (op, { inputs, weights, output, gradients }) => {
    const values = inputs.map(({ shape }, i) => input(`x${i}`, "float32", shape));
    const result = (graphs[op] as Build)(...(values as [Value, Value, Value]));
    const seed = constant(weights, result.shape as number[]);
    const made = backward([[result, seed]], values).map((gradient, i) => [`d${i}`, gradient] as const);
    const session = await createSession({ outputs: { result, ...Object.fromEntries(made) }, inputs: values });
    const found = await session.run(
      Object.fromEntries(inputs.map(({ shape, data }, i) => [`x${i}`, floatTensor(Float32Array.from(data), shape)])),
    );
    expectClose(found.result?.data as Float32Array, output);
    gradients.forEach((gradient, i) => {
      expect(Math.max(...gradient.map(Math.abs))).toBeGreaterThan(0);
      expectClose(found[`d${i}`]?.data as Float32Array, gradient);
    });
    await session.close();
  });
});
