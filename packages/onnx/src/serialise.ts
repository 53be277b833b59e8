import { DataError, InternalError } from "@rag-ft/core";
import { orderNodes } from "./order.js";
import { ModelProto } from "./protobuf.js";
import type { Attribute, DType, Node, Shape, TensorData, Value } from "./value.js";

/** A model to be: named outputs, and weights to bake in for inputs of those names. */
export interface ModelSource {
  outputs: Readonly<Record<string, Value>>;
  /** Data for inputs that become initialisers (an exported model carries its weights; a training graph takes them as inputs). */
  weights?: ReadonlyMap<string, { data: Float32Array }>;
  /** Inputs that the model must have even when nothing reads them, in this order; others follow in order of use. */
  inputs?: readonly Value[];
}

/** protobuf's own limit on a message; a larger model would need ONNX's external data files. */
const MAX_MODEL_BYTES = 2 ** 31 - 1;

const ELEMENT_TYPE: Record<DType, number> = { float32: 1, int64: 7, bool: 9 };
const OPSETS = [
  { domain: "", version: 18 },
  { domain: "com.microsoft", version: 1 },
];

function bytesOf(data: TensorData): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
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
export function serialiseModel({ outputs, weights, inputs: declared = [] }: ModelSource): Uint8Array {
  const names = new Map<Value, string>();
  const inputs = new Map<string, Value>();
  const initialiser = new Map<string, object>();
  const constants = new Map<string, string>();
  let bytes = 0;

  const addTensor = (name: string, dtype: DType, dims: Shape, data: TensorData): void => {
    bytes += data.byteLength;
    initialiser.set(name, { name, dims, dataType: ELEMENT_TYPE[dtype], rawData: bytesOf(data) });
  };
  const nameOf = (value: Value): string => {
    const known = names.get(value);
    if (known !== undefined) return known;
    let name: string;
    if (value.input !== undefined) {
      name = value.input;
      const weight = weights?.get(name);
      if (weight) {
        if (!initialiser.has(name)) addTensor(name, value.dtype, value.shape, weight.data);
      } else if (!inputs.has(name)) inputs.set(name, value);
    } else if (value.data) {
      const small = value.data.length <= 16;
      const key = small ? `${value.dtype}[${value.shape.join()}]${value.data.join()}` : "";
      const twin = small ? constants.get(key) : undefined;
      name = twin ?? `constant_${initialiser.size}`;
      if (twin === undefined) {
        addTensor(name, value.dtype, value.shape, value.data);
        if (small) constants.set(key, name);
      }
    } else throw new InternalError("a value that no node computes is neither an input nor constant");
    names.set(value, name);
    return name;
  };

  for (const value of declared) nameOf(value);
  const nodes = orderNodes(Object.values(outputs));
  const outputNames = new Map<Value, string>();
  for (const [name, value] of Object.entries(outputs))
    if (value.node && !outputNames.has(value)) outputNames.set(value, name);
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
    if (names.get(value) !== name || !value.node) {
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

  const graph = {
    node,
    name: "rag-ft",
    initializer: [...initialiser.values()],
    input: [...inputs].map(([name, value]) => valueInfo(name, value.dtype, value.shape)),
    output: Object.entries(outputs).map(([name, value]) => valueInfo(name, value.dtype, value.shape)),
  };
  if (bytes > MAX_MODEL_BYTES) {
    throw new DataError(
      `The model's weights take ${(bytes / 2 ** 30).toFixed(1)} GiB; an ONNX file holds at most 2 GiB (external data files are not written). Use a smaller model.`,
    );
  }
  return ModelProto.encode({ irVersion: 10, producerName: "rag-ft", graph, opsetImport: OPSETS }).finish();
}
