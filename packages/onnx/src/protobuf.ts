import protobuf from "protobufjs";

// The part of ONNX's protobuf schema that we write (field numbers: onnx/onnx.proto, IR version 10).
const field = (type: string, id: number, rule?: "repeated"): protobuf.IField => ({
  type,
  id,
  ...(rule ? { rule } : {}),
});
const message = (fields: Record<string, protobuf.IField>): protobuf.IType => ({ fields });

const root = protobuf.Root.fromJSON({
  nested: {
    onnx: {
      nested: {
        ModelProto: message({
          irVersion: field("int64", 1),
          producerName: field("string", 2),
          graph: field("GraphProto", 7),
          opsetImport: field("OperatorSetIdProto", 8, "repeated"),
        }),
        OperatorSetIdProto: message({ domain: field("string", 1), version: field("int64", 2) }),
        GraphProto: message({
          node: field("NodeProto", 1, "repeated"),
          name: field("string", 2),
          initializer: field("TensorProto", 5, "repeated"),
          input: field("ValueInfoProto", 11, "repeated"),
          output: field("ValueInfoProto", 12, "repeated"),
        }),
        NodeProto: message({
          input: field("string", 1, "repeated"),
          output: field("string", 2, "repeated"),
          name: field("string", 3),
          opType: field("string", 4),
          attribute: field("AttributeProto", 5, "repeated"),
          domain: field("string", 7),
        }),
        AttributeProto: message({
          name: field("string", 1),
          f: field("float", 2),
          i: field("int64", 3),
          s: field("bytes", 4),
          floats: field("float", 7, "repeated"),
          ints: field("int64", 8, "repeated"),
          type: field("int32", 20),
        }),
        TensorProto: message({
          dims: field("int64", 1, "repeated"),
          dataType: field("int32", 2),
          name: field("string", 8),
          rawData: field("bytes", 9),
          externalData: field("StringStringEntryProto", 13, "repeated"),
          dataLocation: field("int32", 14),
        }),
        StringStringEntryProto: message({ key: field("string", 1), value: field("string", 2) }),
        ValueInfoProto: message({ name: field("string", 1), type: field("TypeProto", 2) }),
        TypeProto: message({ tensorType: field("TensorTypeProto", 1), sequenceType: field("SequenceTypeProto", 4) }),
        SequenceTypeProto: message({ elemType: field("TypeProto", 1) }),
        TensorTypeProto: message({ elemType: field("int32", 1), shape: field("TensorShapeProto", 2) }),
        TensorShapeProto: message({ dim: field("DimensionProto", 1, "repeated") }),
        DimensionProto: message({ dimValue: field("int64", 1), dimParam: field("string", 2) }),
      },
    },
  },
});

/** ONNX's ModelProto, as a protobufjs type. */
export const ModelProto: protobuf.Type = root.lookupType("onnx.ModelProto");
