import { InternalError } from "@rag-ft/core";
import {
  apply,
  cast,
  concat,
  constant,
  type Dim,
  div,
  expand,
  expandLike,
  intConstant,
  type Node,
  neg,
  productOf,
  reduceSum,
  reshape,
  reshapeLike,
  rotary,
  scatterElementsAdd,
  scatterRowsAdd,
  shapeOf,
  slice,
  transpose,
  unsqueeze,
  type Value,
} from "@rag-ft/onnx";
import type { Rule } from "./rule.js";
import { sumRows } from "./sum-rows.js";

/** Zeros in the shape of `like`. */
export function zerosLike(like: Value): Value {
  return expand(constant(0), like.shape, shapeOf(like));
}

function axisOf(node: Node): number {
  const { axis } = node.attributes;
  if (typeof axis !== "number") throw new InternalError(`${node.op}: no axis`);
  return axis;
}

/** Axes of a reduction, from its constant second input. */
function reductionAxes(node: Node): number[] {
  const data = node.inputs[1]?.data;
  if (!data) throw new InternalError(`${node.op}: its axes must be constant`);
  return [...data].map(Number);
}

/** The gradient of a reduction, with the reduced axes back as size 1. */
function withReducedAxes(node: Node, gradient: Value): Value {
  return node.attributes.keepdims === 1 ? gradient : unsqueeze(gradient, reductionAxes(node));
}

/** Number of elements that a reduction takes together, as a float scalar of the graph. */
function reducedCount(node: Node): Value {
  const x = node.inputs[0] as Value;
  const sizes = apply(
    "Gather",
    [shapeOf(x), intConstant(reductionAxes(node))],
    { dtype: "int64", shape: [reductionAxes(node).length] },
    { axis: 0 },
  );
  return cast(apply("ReduceProd", [sizes], { dtype: "int64", shape: [] }, { keepdims: 0 }), "float32");
}

/** Rules of operators that move, repeat, pick or add up elements. */
export const shapeRules: Record<string, Rule> = {
  Identity: ({ gradient }) => [gradient],
  Reshape: ({ node, gradient }) => [reshapeLike(gradient, node.inputs[0] as Value)],
  Unsqueeze: ({ node, gradient }) => [reshapeLike(gradient, node.inputs[0] as Value)],
  Transpose: ({ node, gradient }) => {
    const permutation = node.attributes.perm as readonly number[];
    return [
      transpose(
        gradient,
        permutation.map((_, i) => permutation.indexOf(i)),
      ),
    ];
  },
  Concat: ({ node, gradient }) => {
    const axis = axisOf(node);
    let start = 0;
    return node.inputs.map((value) => {
      const size = value.shape[axis] as Dim;
      if (typeof size !== "number") throw new InternalError("Concat: the gradient needs known sizes along its axis");
      start += size;
      return slice(gradient, axis, start - size, start, size);
    });
  },
  Split: ({ node, outputGradients }) => {
    const parts = node.outputs.map((output, i) => outputGradients[i] ?? zerosLike(output));
    return [concat(parts, axisOf(node), (node.inputs[0] as Value).shape[axisOf(node)] as Dim)];
  },
  // The walker sums a gradient back over broadcast axes, so that of the repeated tensor is enough.
  Expand: ({ gradient }) => [gradient],
  ReduceSum: ({ node, gradient }) => [expandLike(withReducedAxes(node, gradient), node.inputs[0] as Value)],
  ReduceMean: ({ node, gradient }) => [
    expandLike(div(withReducedAxes(node, gradient), reducedCount(node)), node.inputs[0] as Value),
  ],
  Gather: ({ node, gradient }) => {
    const [table, indices] = node.inputs as [Value, Value];
    const rest = table.shape.slice(1);
    if (axisOf(node) !== 0 || rest.some((dim) => typeof dim !== "number")) {
      throw new InternalError("Gather: the gradient is for rows of known size");
    }
    const count = productOf(indices.shape);
    const rows = reshape(gradient, [count, ...rest], [-1, ...(rest as number[])]);
    return [scatterRowsAdd(zerosLike(table), reshape(indices, [count], [-1]), rows)];
  },
  GatherElements: ({ node, gradient }) => {
    const [x, indices] = node.inputs as [Value, Value];
    return [scatterElementsAdd(zerosLike(x), indices, gradient, axisOf(node))];
  },
  // A rotation's inverse is its transpose: turn back by the same angles.
  RotaryEmbedding: ({ node, gradient }) => {
    const [, positions, cosine, sine] = node.inputs as [Value, Value, Value, Value];
    return [rotary(gradient, positions, cosine, neg(sine))];
  },
};

/** Sums a gradient over the axes along which `target` was broadcast. */
export function sumToShape(gradient: Value, target: Value): Value {
  // A bias of rows.
  if (gradient.shape.length === 2 && target.shape.length === 1 && target.shape[0] === gradient.shape[1])
    return sumRows(gradient);
  let sum = gradient;
  const extra = sum.shape.length - target.shape.length;
  if (extra > 0)
    sum = reduceSum(
      sum,
      Array.from({ length: extra }, (_, i) => i),
    );
  const repeated = target.shape.flatMap((dim, i) => (dim === 1 && sum.shape[i] !== 1 ? [i] : []));
  return repeated.length > 0 ? reduceSum(sum, repeated, { keepDims: true }) : sum;
}
