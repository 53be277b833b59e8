import { InternalError } from "@rag-ft/core";
import {
  apply,
  constant,
  type DType,
  ELEMENT_TYPE,
  type OutputType,
  type Shape,
  showShape,
  type Value,
} from "../value.js";
import { reshape } from "./shape.js";

/** Shape of an element-wise operation on both, by NumPy's broadcasting rule. A named dimension matches only itself and 1. */
export function broadcastShapes(a: Shape, b: Shape): Shape {
  const size = Math.max(a.length, b.length);
  return Array.from({ length: size }, (_, i) => {
    const da = a[a.length - size + i] ?? 1;
    const db = b[b.length - size + i] ?? 1;
    if (da === db || db === 1) return da;
    if (da === 1) return db;
    throw new InternalError(`shapes ${showShape(a)} and ${showShape(b)} do not broadcast`);
  });
}

function binary(op: string, a: Value, b: Value, dtype: DType = a.dtype): Value {
  return apply(op, [a, b], { dtype, shape: broadcastShapes(a.shape, b.shape) });
}

function unary(op: string, x: Value): Value {
  return apply(op, [x], { dtype: x.dtype, shape: x.shape });
}

/** A number becomes a scalar constant. */
function lift(x: Value | number): Value {
  return typeof x === "number" ? constant(x) : x;
}

export const add = (a: Value | number, b: Value | number): Value => binary("Add", lift(a), lift(b));
export const sub = (a: Value | number, b: Value | number): Value => binary("Sub", lift(a), lift(b));
export const mul = (a: Value | number, b: Value | number): Value => binary("Mul", lift(a), lift(b));
export const div = (a: Value | number, b: Value | number): Value => binary("Div", lift(a), lift(b));
export const maximum = (a: Value, b: Value): Value => binary("Max", a, b);
export const minimum = (a: Value, b: Value): Value => binary("Min", a, b);
export const lessOrEqual = (a: Value, b: Value): Value => binary("LessOrEqual", a, b, "bool");

export const neg = (x: Value): Value => unary("Neg", x);
export const exp = (x: Value): Value => unary("Exp", x);
export const log = (x: Value): Value => unary("Log", x);
export const sqrt = (x: Value): Value => unary("Sqrt", x);
export const erf = (x: Value): Value => unary("Erf", x);
export const tanh = (x: Value): Value => unary("Tanh", x);
export const sigmoid = (x: Value): Value => unary("Sigmoid", x);
export const relu = (x: Value): Value => unary("Relu", x);

/** Φ(x), the cumulative distribution of the standard normal. */
export function normalCumulative(x: Value): Value {
  return mul(add(erf(mul(x, Math.SQRT1_2)), 1), 0.5);
}

/** GELU in its exact form, x Φ(x) (Hendrycks & Gimpel 2016), one kernel in ONNX Runtime. */
export function gelu(x: Value): Value {
  const { dtype, shape } = x;
  return apply("Gelu", [x], { dtype, shape, again: mul(x, normalCumulative(x)) }, {}, "com.microsoft");
}

/** SiLU, x σ(x) (Elfwing et al. 2017), one kernel in ONNX Runtime. */
export function silu(x: Value): Value {
  const { dtype, shape } = x;
  const attributes = { alpha: { float: 1 } };
  return apply("QuickGelu", [x], { dtype, shape, again: mul(x, sigmoid(x)) }, attributes, "com.microsoft");
}

/** activation(gate) · up, the gated feed-forward's product (Shazeer 2020). */
export function gated(activation: Value, up: Value): Value {
  const again = activation.again ? { again: mul(activation.again, up) } : {};
  return apply("Mul", [activation, up], {
    dtype: up.dtype,
    shape: broadcastShapes(activation.shape, up.shape),
    ...again,
  });
}

/** GELU's tanh approximation (Hendrycks & Gimpel 2016), `gelu_new` in Hugging Face configs. */
export function geluTanh(x: Value): Value {
  const cubic = mul(mul(x, x), x);
  const inner = mul(add(x, mul(cubic, 0.044715)), Math.sqrt(2 / Math.PI));
  return mul(mul(x, 0.5), add(tanh(inner), 1));
}

/** `onTrue` where `condition` (bool) holds, else `onFalse`; all broadcast. */
export function where(condition: Value, onTrue: Value, onFalse: Value): Value {
  const shape = broadcastShapes(condition.shape, broadcastShapes(onTrue.shape, onFalse.shape));
  return apply("Where", [condition, onTrue, onFalse], { dtype: onTrue.dtype, shape });
}

export function cast(x: Value, dtype: DType): Value {
  return apply("Cast", [x], { dtype, shape: x.shape }, { to: ELEMENT_TYPE[dtype] });
}

/**
 * A weight of 16 bits, float16 or bfloat16's bits as uint16, in single precision. The backward pass widens it again, so that no weight stays in
 * memory in both forms: of a reshaped twin, since ONNX Runtime computes equal nodes once.
 */
export function widen(x: Value): Value {
  const floats = (from: Value, again?: Value): Value => {
    const bits: OutputType = { dtype: "bfloat16", shape: x.shape };
    const read = from.dtype === "uint16" ? apply("BitCast", [from], bits, { to: ELEMENT_TYPE.bfloat16 }) : from;
    const type: OutputType = { dtype: "float32", shape: x.shape, ...(again ? { again } : {}) };
    return apply("Cast", [read], type, { to: ELEMENT_TYPE.float32 });
  };
  // What has a named dimension are a few rows of a table: nothing is saved there.
  return floats(x, x.shape.some((dim) => typeof dim === "string") ? undefined : floats(reshape(x, x.shape)));
}
