import { InternalError } from "@rag-ft/core";
import { orderNodes } from "./order.js";
import { ModelProto } from "./protobuf.js";
import {
  type Attribute,
  type DType,
  ELEMENT_TYPE,
  type Node,
  type Shape,
  type TensorData,
  type Value,
  withoutComposites,
} from "./value.js";

/** A weight's data, in the type of the input that it is for, row-major; where `shape` is given, `data` may be made when it is read. */
export interface SourceWeight {
  readonly data: TensorData;
  readonly shape?: readonly number[];
}

/** A model to be: named outputs, and weights to bake in for inputs of those names. */
export interface ModelSource {
  outputs: Readonly<Record<string, Value>>;
  /** Data for inputs that become initialisers (an exported model carries its weights; a training graph takes them as inputs). */
  weights?: ReadonlyMap<string, SourceWeight>;
  /** Inputs that the model must have even when nothing reads them, in this order; others follow in order of use. */
  inputs?: readonly Value[];
  /** Where large tensors go when they are not to be part of the model. */
  external?: ExternalData;
  /** Name of a first output more: an empty sequence of tensors. See `openSession`. */
  sequence?: string;
}

/** protobuf's own limit on a message: a larger model keeps its weights in a file beside it. */
export const MAX_MODEL_BYTES = 2 ** 31 - 1;

/** Smaller tensors stay in the model: ONNX Runtime reads shapes and the like while it loads. */
const MIN_EXTERNAL_BYTES = 1024;

/** Offsets that can be mapped into memory. */
const EXTERNAL_ALIGNMENT = 4096;

/** ONNX's external data: tensors of a file beside the model. */
export interface ExternalData {
  /** The file's name, in the model's folder. */
  file: string;
  /** Filled by `serialiseModel`: what the file holds, in order, each at its offset. */
  parts: { offset: number; bytes: number; read: () => Uint8Array }[];
}

/** Whether a model with its weights stays within `limit` bytes. Constants such as rotary tables come on top: a tenth is ample for them. */
export function fitsModel({ weights }: ModelSource, limit: number): boolean {
  let bytes = 0;
  for (const weight of weights?.values() ?? [])
    bytes += weight.shape ? 4 * weight.shape.reduce((a, b) => a * b, 1) : weight.data.byteLength;
  return bytes < limit * 0.9;
}

/** Version 18 of the operators; BitCast came with 26. */
const opsets = (nodes: readonly Node[]): object[] => [
  { domain: "", version: nodes.some(({ op }) => op === "BitCast") ? 26 : 18 },
  { domain: "com.microsoft", version: 1 },
  // Without our native part ONNX Runtime does not know this one.
  ...(nodes.some(({ domain }) => domain === "rag_ft") ? [{ domain: "rag_ft", version: 1 }] : []),
];

function bytesOf(data: TensorData): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** Appends a tensor to the external data; returns the fields that point there. */
function externalTensor({ file, parts }: ExternalData, bytes: number, read: () => Uint8Array): object {
  const last = parts.at(-1);
  const end = last ? last.offset + last.bytes : 0;
  const offset = Math.ceil(end / EXTERNAL_ALIGNMENT) * EXTERNAL_ALIGNMENT;
  parts.push({ offset, bytes, read });
  const entries = { location: file, offset, length: bytes };
  return {
    dataLocation: 1,
    externalData: Object.entries(entries).map(([key, value]) => ({ key, value: String(value) })),
  };
}

function attributeProto(name: string, value: Attribute): object {
  if (typeof value === "number") return { name, i: value, type: 2 };
  if (typeof value === "string") return { name, s: Buffer.from(value), type: 3 };
  if ("float" in value) return { name, f: value.float, type: 1 };
  return { name, ints: value, type: 7 };
}

function valueInfo(name: string, dtype: DType, shape: Shape): object {
  const dim = shape.map((size) => (typeof size === "number" ? { dimValue: size } : { dimParam: size }));
  return { name, type: { tensorType: { elemType: ELEMENT_TYPE[dtype], shape: { dim } } } };
}

/** Serialises a graph as an ONNX model. Inputs of one name are one input; equal constants are written once. */
export function serialiseModel(source: ModelSource): Uint8Array {
  const { outputs, weights, inputs: declared = [], external, sequence } = source;
  const names = new Map<Value, string>();
  const inputs = new Map<string, Value>();
  const initialiser = new Map<string, object>();
  const constants = new Map<string, string>();
  let bytes = 0;

  const addTensor = (name: string, dtype: DType, dims: Shape, source: SourceWeight): void => {
    const head = { name, dims, dataType: ELEMENT_TYPE[dtype] };
    const size = source.shape && dtype === "float32" ? 4 * source.shape.reduce((a, b) => a * b, 1) : undefined;
    const length = size ?? source.data.byteLength;
    if (external && length >= MIN_EXTERNAL_BYTES) {
      initialiser.set(name, { ...head, ...externalTensor(external, length, () => bytesOf(source.data)) });
      return;
    }
    bytes += length;
    if (bytes > MAX_MODEL_BYTES) {
      throw new InternalError(
        `the model's weights exceed the ${MAX_MODEL_BYTES} bytes of an ONNX file: they need external data`,
      );
    }
    initialiser.set(name, { ...head, rawData: bytesOf(source.data) });
  };
  const nameOf = (given: Value): string => {
    const value = withoutComposites(given);
    const known = names.get(value);
    if (known !== undefined) return known;
    let name: string;
    if (value.input !== undefined) {
      name = value.input;
      const weight = weights?.get(name);
      if (weight) {
        if (!initialiser.has(name)) addTensor(name, value.dtype, value.shape, weight);
      } else if (!inputs.has(name)) inputs.set(name, value);
    } else if (value.data) {
      const small = value.data.length <= 16;
      const key = small ? `${value.dtype}[${value.shape.join()}]${value.data.join()}` : "";
      const twin = small ? constants.get(key) : undefined;
      name = twin ?? `constant_${initialiser.size}`;
      if (twin === undefined) {
        addTensor(name, value.dtype, value.shape, { data: value.data });
        if (small) constants.set(key, name);
      }
    } else throw new InternalError("a value that no node computes is neither an input nor constant");
    names.set(value, name);
    return name;
  };

  for (const value of declared) nameOf(value);
  const nodes = orderNodes(Object.values(outputs), { expand: true });
  const outputNames = new Map<Value, string>();
  for (const [name, given] of Object.entries(outputs)) {
    const value = withoutComposites(given);
    if (value.node && !outputNames.has(value)) outputNames.set(value, name);
  }
  const node = nodes.map((item: Node, index) => {
    const input = item.inputs.map(nameOf);
    const output = item.outputs.map((value, i) => outputNames.get(value) ?? `v${index}_${i}`);
    item.outputs.forEach((value, i) => {
      names.set(value, output[i] as string);
    });
    const attribute = Object.entries(item.attributes).map(([name, value]) => attributeProto(name, value));
    return { input, output, name: `${item.op}_${index}`, opType: item.op, attribute, domain: item.domain };
  });
  // An output that is an input, a constant or another output's value needs a node of its own.
  for (const [name, value] of Object.entries(outputs)) {
    if (nameOf(value) !== name || !withoutComposites(value).node) {
      node.push({
        input: [nameOf(value)],
        output: [name],
        name: `Identity_${name}`,
        opType: "Identity",
        attribute: [],
        domain: "",
      });
    }
  }

  const outputInfo = Object.entries(outputs).map(([name, value]) => valueInfo(name, value.dtype, value.shape));
  if (sequence !== undefined) {
    node.push({ input: [], output: [sequence], name: sequence, opType: "SequenceEmpty", attribute: [], domain: "" });
    const elemType = { tensorType: { elemType: ELEMENT_TYPE.float32 } };
    outputInfo.unshift({ name: sequence, type: { sequenceType: { elemType } } });
  }

  const graph = {
    node,
    name: "rag-ft",
    initializer: [...initialiser.values()],
    input: [...inputs].map(([name, value]) => valueInfo(name, value.dtype, value.shape)),
    output: outputInfo,
  };
  return ModelProto.encode({ irVersion: 10, producerName: "rag-ft", graph, opsetImport: opsets(nodes) }).finish();
}
