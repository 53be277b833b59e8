import { CPU } from "./device.js";
import {
  add,
  cast,
  div,
  exp,
  expand,
  lessOrEqual,
  log,
  mul,
  reduceMax,
  reduceMean,
  reduceSum,
  sqrt,
  sub,
  transpose,
} from "./ops/index.js";
import { rewriteGraph } from "./rewrite.js";
import { apply, applyNode, type Node, type Value } from "./value.js";

/** Writes a node with other operators: its outputs, given its inputs, or nothing where it may stay. */
type Lowering = (node: Node, inputs: readonly Value[]) => Value[] | undefined;

/** A float attribute, or what it is by default. */
function float({ attributes }: Node, name: string, otherwise: number): number {
  const value = attributes[name];
  return typeof value === "object" && "float" in value ? value.float : otherwise;
}

/**
 * ONNX Runtime's WebGPU gives the mean of x as the second output of SimplifiedLayerNormalization, 1 / √(mean x² + ε) on the CPU: here that is
 * computed by operators of its own.
 */
const withoutInverse: Lowering = (node, inputs) => {
  const [normal, inverse] = node.outputs;
  if (!normal || !inverse) return undefined;
  const [same] = applyNode(node.op, inputs, [normal], { ...node.attributes }, node.domain) as [Value];
  const x = inputs[0] as Value;
  const squares = reduceMean(mul(x, x), [-1], { keepDims: true });
  return [same, div(1, sqrt(add(squares, float(node, "epsilon", 0))))];
};

/** A guess at a tensor's size, for a choice between two: names stand for some hundred of tokens. */
function roughSize({ shape }: Value): number {
  return shape.reduce<number>((product, dim) => product * (typeof dim === "number" ? dim : 256), 1);
}

function lastTwoSwapped(x: Value): Value {
  const rank = x.shape.length;
  return transpose(x, [...Array.from({ length: rank - 2 }, (_, i) => i), rank - 1, rank - 2]);
}

/** Products of matrices become Gemm, which has transposes and alpha; batched ones transpose and scale an input first. */
const product: Lowering = (node, inputs) => {
  const [a, b] = inputs as [Value, Value];
  const [output] = node.outputs as [Value];
  const [transA, transB] = [node.attributes.transA === 1, node.attributes.transB === 1];
  const alpha = float(node, "alpha", 1);
  if (a.shape.length === 2 && b.shape.length === 2) {
    const attributes = { transA: transA ? 1 : 0, transB: transB ? 1 : 0, alpha: { float: alpha } };
    return [apply("Gemm", [a, b], output, attributes)];
  }
  const scaleA = alpha !== 1 && roughSize(a) <= roughSize(b);
  const scaled = (x: Value, isScaled: boolean): Value => (isScaled ? mul(x, alpha) : x);
  const left = scaled(transA ? lastTwoSwapped(a) : a, scaleA);
  const right = scaled(transB ? lastTwoSwapped(b) : b, alpha !== 1 && !scaleA);
  return [apply("MatMul", [left, right], output)];
};

/** x - max x - log Σ exp(x - max x) */
const logSoftmaxInParts: Lowering = (_, [x]) => {
  const shifted = sub(x as Value, reduceMax(x as Value, [-1], { keepDims: true }));
  return [sub(shifted, log(reduceSum(exp(shifted), [-1], { keepDims: true })))];
};

/** Whole numbers are compared as floats: those that we compare are places in a text, far below 2²⁴. The casts are of vectors, the comparison of a table. */
const comparedAsFloats: Lowering = ({ inputs: [first] }, inputs) =>
  first?.dtype === "int64" ? [lessOrEqual(...(inputs.map((x) => cast(x, "float32")) as [Value, Value]))] : undefined;

/** Row numbers that are repeated over each row's entries are so in 32 bits. */
const narrowIndices: Lowering = (node, [x, indices, updates]) => {
  const repeated = (indices as Value).node;
  if (repeated?.op !== "Expand" || indices?.dtype !== "int64") return undefined;
  const [column, target] = repeated.inputs as [Value, Value];
  const narrow = expand(cast(column, "int32"), indices.shape, target);
  return applyNode(node.op, [x as Value, narrow, updates as Value], node.outputs, { ...node.attributes });
};

/** What no device but the CPU computes as we mean it. */
const ELSEWHERE: Readonly<Record<string, Lowering>> = { SimplifiedLayerNormalization: withoutInverse };

/** What a device lacks: each row would be computed on the CPU, with a copy of its inputs and outputs. */
const LACKING: Readonly<Record<string, Readonly<Record<string, Lowering>>>> = {
  webgpu: {
    FusedMatMul: product,
    LogSoftmax: logSoftmaxInParts,
    LessOrEqual: comparedAsFloats,
    ScatterElements: narrowIndices,
  },
};

/** The graph in a form that a device computes rightly, and by operators that it has. */
export function loweredOutputs(
  outputs: Readonly<Record<string, Value>>,
  device: string = CPU,
): Readonly<Record<string, Value>> {
  if (device === CPU) return outputs;
  const rows: Readonly<Record<string, Lowering>> = { ...ELSEWHERE, ...LACKING[device] };
  return rewriteGraph(outputs, (node, inputs) => rows[node.op]?.(node, inputs));
}
