import { apply, applyNode, type Value } from "../value.js";

/** Softmax over the last axis. */
export function softmax(x: Value): Value {
  return apply("Softmax", [x], { dtype: x.dtype, shape: x.shape }, { axis: -1 });
}

/** log softmax over the last axis. */
export function logSoftmax(x: Value): Value {
  return apply("LogSoftmax", [x], { dtype: x.dtype, shape: x.shape }, { axis: -1 });
}

/** Layer normalisation over the last axis (Ba et al. 2016), with or without a bias. The node's further outputs, mean and 1/σ, serve its gradient. */
export function layerNorm(x: Value, scale: Value, bias: Value | undefined, epsilon: number): Value {
  const moments = { dtype: x.dtype, shape: [...x.shape.slice(0, -1), 1] };
  const outputs = [{ dtype: x.dtype, shape: x.shape }, moments, moments];
  return applyNode("LayerNormalization", [x, scale, ...(bias ? [bias] : [])], outputs, {
    axis: -1,
    epsilon: { float: epsilon },
  })[0] as Value;
}

/** Root-mean-square normalisation over the last axis (Zhang & Sennrich 2019). The second output, 1/RMS, serves the gradient. */
export function rmsNorm(x: Value, scale: Value, epsilon: number): Value {
  const outputs = [
    { dtype: x.dtype, shape: x.shape },
    { dtype: x.dtype, shape: [...x.shape.slice(0, -1), 1] },
  ];
  return applyNode("SimplifiedLayerNormalization", [x, scale], outputs, {
    axis: -1,
    epsilon: { float: epsilon },
  })[0] as Value;
}
