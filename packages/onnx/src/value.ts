import { InternalError } from "@rag-ft/core";

/** Element types that our graphs use. bfloat16 has no tensors in JavaScript: it comes as uint16. */
export type DType = "float32" | "int64" | "bool" | "float16" | "bfloat16" | "uint16" | "uint8" | "int8" | "int32";

/** ONNX's numbers of them (TensorProto.DataType). */
export const ELEMENT_TYPE: Readonly<Record<DType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  bfloat16: 16,
};

/** A dimension: a number, or a name that stands for one known only at run time (`batch`, `tokens`). */
export type Dim = number | string;
export type Shape = readonly Dim[];

/** Data of a tensor. int64 data are BigInt64Array, int32 data Int32Array, bool data Uint8Array of 0 and 1, those of 16 bits Uint16Array. */
export type TensorData = Float32Array | BigInt64Array | Int32Array | Uint8Array | Int8Array | Uint16Array;

export type Attribute = number | string | readonly number[] | { float: number };

/** An application of an ONNX operator. Graphs are made of values that point to the node that computes them. */
export interface Node {
  readonly op: string;
  /** Empty for the standard operators, `com.microsoft` for ONNX Runtime's own, `rag_ft` for those of our native part. */
  readonly domain: "" | "com.microsoft" | "rag_ft";
  readonly inputs: readonly Value[];
  readonly attributes: Readonly<Record<string, Attribute>>;
  readonly outputs: readonly Value[];
  /**
   * For a composite: the values, one an output, that compute its outputs with other operators. What is written is the body; the composite
   * is a unit only for the gradient table, whose row for it may know better than the rows of the parts.
   */
  readonly body?: readonly Value[];
}

/** A tensor in a graph: computed by a node, given as an input, or constant. Nothing is computed while a graph is built. */
export interface Value {
  readonly dtype: DType;
  readonly shape: Shape;
  /** The node that computes this value; undefined for inputs and constants. */
  readonly node?: Node;
  /** Name of an input; undefined otherwise. */
  readonly input?: string;
  readonly data?: TensorData;
  /**
   * An equal value, cheap to compute from others that are kept anyway. The backward pass reads it instead, so that this one need not stay in
   * memory until then (Chen et al. 2016). Made by other operators than this one: ONNX Runtime computes equal nodes once.
   */
  readonly again?: Value;
}

/** A graph input. */
export function input(name: string, dtype: DType, shape: Shape): Value {
  return { dtype, shape, input: name };
}

/** A float32 constant. */
export function constant(data: Float32Array | readonly number[] | number, shape?: readonly number[]): Value {
  const array = typeof data === "number" ? Float32Array.of(data) : Float32Array.from(data);
  const dims = shape ?? (typeof data === "number" ? [] : [array.length]);
  if (dims.reduce((a, b) => a * b, 1) !== array.length) {
    throw new InternalError(`constant: shape [${dims.join(", ")}] does not hold ${array.length} elements`);
  }
  return { dtype: "float32", shape: dims, data: array };
}

/** An int64 constant, a vector unless a shape (`[]` for a scalar) is given. */
export function intConstant(values: readonly number[], shape?: readonly number[]): Value {
  return { dtype: "int64", shape: shape ?? [values.length], data: BigInt64Array.from(values.map((v) => BigInt(v))) };
}

export interface OutputType {
  dtype: DType;
  shape: Shape;
  again?: Value;
}

/** Applies an operator; returns its outputs. Shapes are the caller's duty: the functions in `ops/` infer and check them. */
export function applyNode(
  op: string,
  inputs: readonly Value[],
  outputs: readonly OutputType[],
  attributes: Record<string, Attribute> = {},
  domain: Node["domain"] = "",
): Value[] {
  const made: Value[] = [];
  const node: Node = { op, domain, inputs, attributes, outputs: made };
  for (const type of outputs) made.push({ ...type, node });
  return made;
}

/** Like `applyNode`, for operators with one output. */
export function apply(
  op: string,
  inputs: readonly Value[],
  output: OutputType,
  attributes: Record<string, Attribute> = {},
  domain: Node["domain"] = "",
): Value {
  return applyNode(op, inputs, [output], attributes, domain)[0] as Value;
}

/**
 * Groups operators that compute `body` from `inputs` as one node of the gradient table. Later outputs may be intermediate results that the
 * gradient reads. Returns the outputs, one for each value of the body.
 */
export function composite(
  op: string,
  inputs: readonly Value[],
  body: readonly Value[],
  attributes: Record<string, Attribute> = {},
): Value[] {
  const made: Value[] = [];
  const node: Node = { op, domain: "", inputs, attributes, outputs: made, body };
  for (const { dtype, shape } of body) made.push({ dtype, shape, node });
  return made;
}

/** The value that an ONNX operator computes: the body's in place of a composite's output. */
export function withoutComposites(value: Value): Value {
  let found = value;
  while (found.node?.body) found = found.node.body[found.node.outputs.indexOf(found)] as Value;
  return found;
}

/** The number of elements of a shape: a number, or names and numbers with `*` between them. */
export function productOf(shape: Shape): Dim {
  const names = shape.filter((dim) => typeof dim === "string");
  const number = shape.reduce<number>((product, dim) => (typeof dim === "number" ? product * dim : product), 1);
  if (names.length === 0) return number;
  return [...(number === 1 ? [] : [number]), ...names].join("*");
}

/** A shape in numbers, given what its names stand for; undefined when one of them is not known. */
export function sizesOf(shape: Shape, dims: Readonly<Record<string, number>>): number[] | undefined {
  const sizeOf = (dim: Dim): number =>
    typeof dim === "number" ? dim : (dims[dim] ?? dim.split("*").reduce((a, b) => a * (dims[b] ?? Number(b)), 1));
  const sizes = shape.map(sizeOf);
  return sizes.some(Number.isNaN) ? undefined : sizes;
}

/** The same where all names must be known; `what` the shape is of, for the error. */
export function requireSizes(what: string, shape: Shape, dims: Readonly<Record<string, number>>): number[] {
  const sizes = sizesOf(shape, dims);
  if (!sizes) throw new InternalError(`${what} of shape ${showShape(shape)}: a dimension is not known`);
  return sizes;
}

/** `[batch, 4]`, for messages. */
export function showShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

export function rank(value: Value): number {
  return value.shape.length;
}

/** Axis counted from the start: -1 is the last. */
export function positiveAxis(axis: number, size: number): number {
  const positive = axis < 0 ? axis + size : axis;
  if (positive < 0 || positive >= size) throw new InternalError(`axis ${axis} is outside a tensor of rank ${size}`);
  return positive;
}
