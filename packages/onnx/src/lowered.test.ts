import { describe, expect, it } from "vitest";
import { loweredOutputs } from "./lowered.js";
import { add, gemm, lessOrEqual, logSoftmax, matmul, mul, rmsNorm, scatterRowsAdd, where } from "./ops/index.js";
import { orderNodes } from "./order.js";
import { createSession } from "./session.js";
import { floatTensor, intTensor, type Tensor } from "./tensor.js";
import { constant, input, type Value } from "./value.js";

type Graph = Readonly<Record<string, Value>>;

function numbers(count: number, factor: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => Math.sin(factor * (i + 1)));
}

const operatorsOf = (graph: Graph): string[] => orderNodes(Object.values(graph), { expand: true }).map(({ op }) => op);

/** Runs a graph as it is and as lowered for webgpu, both on the CPU; both results by output. */
async function both(graph: Graph, inputs: Readonly<Record<string, Tensor>>): Promise<[number[], number[]][]> {
  const results: Record<string, Tensor>[] = [];
  for (const outputs of [graph, loweredOutputs(graph, "webgpu")]) {
    const session = await createSession({ outputs });
    results.push(await session.run(inputs));
    await session.close();
  }
  const values = (result: Record<string, Tensor> | undefined, name: string): number[] =>
    [...(result?.[name]?.data ?? [])].map(Number);
  return Object.keys(graph).map((name) => [values(results[0], name), values(results[1], name)]);
}

async function expectSame(graph: Graph, inputs: Readonly<Record<string, Tensor>>): Promise<void> {
  for (const [ours, theirs] of await both(graph, inputs)) {
    expect(ours.length).toBeGreaterThan(0);
    expect(new Set(ours).size).toBeGreaterThan(1);
    expect(theirs).toHaveLength(ours.length);
    ours.forEach((value, i) => {
      expect(theirs[i]).toBeCloseTo(value, 5);
    });
  }
}

describe("loweredOutputs", () => {
  const square = input("x", "float32", [2, 2]);
  const normal = rmsNorm(square, input("scale", "float32", [2]), 1e-6);
  const inverse = normal.node?.outputs[1] as Value;

  it("leaves a graph for the CPU, and one without what a device lacks, as it is", () => {
    const y = mul(square, 2);
    expect(loweredOutputs({ y }, "webgpu").y).toBe(y);
    expect(loweredOutputs({ normal, inverse }, "cpu").inverse).toBe(inverse);
  });

  it.each(["webgpu", "cuda"])("%s: no second output of SimplifiedLayerNormalization", (device) => {
    const lowered = loweredOutputs({ normal, scaled: mul(inverse, 2) }, device);
    const norms = orderNodes(Object.values(lowered)).filter(({ op }) => op === "SimplifiedLayerNormalization");
    expect(norms.map(({ outputs }) => outputs.length)).toEqual([1]);
  });

  it("computes what that output is", async () => {
    const inputs = { x: floatTensor(numbers(4, 2), [2, 2]), scale: floatTensor(Float32Array.of(1, 2), [2]) };
    await expectSame({ normal, scaled: mul(inverse, 2), twice: add(add(normal, inverse), square) }, inputs);
  });

  it.each([
    [false, false],
    [false, true],
    [true, false],
    [true, true],
  ])("products with transA %s and transB %s, of matrices and batches, scaled and not", async (transA, transB) => {
    const flip = (shape: number[], isFlipped: boolean): number[] =>
      isFlipped ? [...shape.slice(0, -2), ...shape.slice(-2).reverse()] : shape;
    const graph: Record<string, Value> = {};
    const inputs: Record<string, Tensor> = {};
    for (const batch of [[], [2], [2, 3]]) {
      const of = (name: string, shape: number[]): Value => {
        const whole = `${name}${batch.join("x")}`;
        inputs[whole] = floatTensor(
          numbers(
            shape.reduce((a, b) => a * b, 1),
            name === "a" ? 0.7 : 1.3,
          ),
          shape,
        );
        return input(whole, "float32", shape);
      };
      const [a, b] = [of("a", flip([...batch, 4, 3], transA)), of("b", flip([...batch, 3, 5], transB))];
      for (const alpha of [1, 0.25]) graph[`${batch.join("x")} ${alpha}`] = matmul(a, b, { transA, transB, alpha });
    }
    const operators = operatorsOf(loweredOutputs(graph, "webgpu"));
    expect(operators).not.toContain("FusedMatMul");
    expect(operators.filter((op) => op === "Gemm")).toHaveLength(2);
    expect(operators.filter((op) => op === "MatMul")).toHaveLength(4);
    await expectSame(graph, inputs);
  });

  it("log softmax, also of large numbers", async () => {
    const x = input("x", "float32", ["rows", 5]);
    const graph = { y: logSoftmax(x) };
    expect(operatorsOf(loweredOutputs(graph, "webgpu"))).not.toContain("LogSoftmax");
    const large = numbers(10, 1).map((value, i) => (i < 5 ? value : 500 * value));
    await expectSame(graph, { x: floatTensor(large, [2, 5]) });
  });

  it("comparisons of places, and rows added to a table", async () => {
    const [a, b] = [input("a", "int64", [3, 1]), input("b", "int64", [1, 3])];
    const table = input("table", "float32", [4, 2]);
    const rows = scatterRowsAdd(table, input("rows", "int64", ["n"]), input("updates", "float32", ["n", 2]));
    const graph = {
      seen: where(lessOrEqual(a, b), constant(0), constant(-1)),
      added: gemm(rows, rows, undefined, { transB: true }),
    };
    const types = orderNodes(Object.values(loweredOutputs(graph, "webgpu")))
      .filter(({ op }) => op === "LessOrEqual" || op === "ScatterElements")
      .map(({ inputs }) => inputs.map(({ dtype }) => dtype));
    expect(types).toEqual([
      ["float32", "float32"],
      ["float32", "int32", "float32"],
    ]);
    await expectSame(graph, {
      a: intTensor([0, 1, 2], [3, 1]),
      b: intTensor([0, 1, 2], [1, 3]),
      table: floatTensor(numbers(8, 1), [4, 2]),
      rows: intTensor([2, 0, 2], [3]),
      updates: floatTensor(numbers(6, 2), [3, 2]),
    });
  });
});
