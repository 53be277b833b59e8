import { type Dim, exp, mul, reduceMean, reduceSum, reshape, sub, type Value } from "@rag-ft/onnx";
import type { Rule } from "./rule.js";
import { sumRows } from "./sum-rows.js";

/** Sum over all axes but the last: the gradient of a vector [size] that was broadcast over rows. */
function sumToVector(x: Value, size: Dim): Value {
  return x.shape.length === 1
    ? x
    : sumRows(x.shape.length === 2 ? x : reshape(x, ["rows", size], [-1, size as number]));
}

const lastMean = (x: Value): Value => reduceMean(x, [-1], { keepDims: true });
const lastSum = (x: Value): Value => reduceSum(x, [-1], { keepDims: true });

/** Rules of operators that normalise over the last axis. */
export const normaliseRules: Record<string, Rule> = {
  // dx = y (d - Σ d y)
  Softmax: ({ node, gradient }) => {
    const y = node.outputs[0] as Value;
    const weighted = mul(gradient, y);
    return [sub(weighted, mul(y, lastSum(weighted)))];
  },
  LogSoftmax: ({ node, gradient }) => [sub(gradient, mul(exp(node.outputs[0] as Value), lastSum(gradient)))],
  // With n = (x - mean) / σ and g = d · scale: dx = (g - mean(g) - n · mean(g n)) / σ.
  LayerNormalization: ({ node, gradient, wants }) => {
    const [x, scale] = node.inputs as [Value, Value];
    const [size = 1] = scale.shape;
    const [, mean, inverse] = node.outputs as [Value, Value, Value];
    const normal = mul(sub(x, mean), inverse);
    const scaled = mul(gradient, scale);
    const dx = (): Value =>
      mul(sub(sub(scaled, lastMean(scaled)), mul(normal, lastMean(mul(scaled, normal)))), inverse);
    return [
      wants(0) ? dx() : undefined,
      wants(1) ? sumToVector(mul(gradient, normal), size) : undefined,
      wants(2) ? sumToVector(gradient, size) : undefined,
    ];
  },
  // With n = x / RMS and g = d · scale: dx = (g - n · mean(g n)) / RMS.
  SimplifiedLayerNormalization: ({ node, gradient, wants }) => {
    const [x, scale] = node.inputs as [Value, Value];
    const [size = 1] = scale.shape;
    const inverse = node.outputs[1] as Value;
    const normal = mul(x, inverse);
    const scaled = mul(gradient, scale);
    return [
      wants(0) ? mul(sub(scaled, mul(normal, lastMean(mul(scaled, normal)))), inverse) : undefined,
      wants(1) ? sumToVector(mul(gradient, normal), size) : undefined,
    ];
  },
};
