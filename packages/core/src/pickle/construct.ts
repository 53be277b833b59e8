import type { ByteReader } from "./byte-reader.js";
import { describeValue, PickleGlobal, PickleObject, PickleTuple, type PickleValue } from "./values.js";

function asTuple(value: PickleValue): readonly PickleValue[] | undefined {
  return value instanceof PickleTuple ? value.items : undefined;
}

function refuseCall(callable: PickleValue, reader: ByteReader, offset: number): Error {
  return reader.error(
    `the pickle calls ${describeValue(callable)} in a way that writing documents never needs. Nothing was run. ` +
      "Only documents and plain data are read: save the database again as such, or as documents.jsonl.",
    offset,
  );
}

/** NEWOBJ and NEWOBJ_EX: an empty instance of the document class. */
export function newObject(type: PickleValue, args: PickleValue, reader: ByteReader, offset: number): PickleObject {
  const isDocument = type instanceof PickleGlobal && type.role === "document";
  if (!isDocument || asTuple(args)?.length !== 0) throw refuseCall(type, reader, offset);
  return new PickleObject(type, offset);
}

/** REDUCE: acts out, on data alone, the few calls through which CPython writes instances, sets and bytes. */
export function reduce(callable: PickleValue, args: PickleValue, reader: ByteReader, offset: number): PickleValue {
  const items = asTuple(args);
  if (!(callable instanceof PickleGlobal) || items === undefined) throw refuseCall(callable, reader, offset);
  const [first, second] = items;
  switch (callable.role) {
    case "reconstructor": {
      const plainBase = second instanceof PickleGlobal && second.role === "object";
      if (items.length === 3 && plainBase && items[2] === null) {
        return newObject(first ?? null, new PickleTuple([]), reader, offset);
      }
      break;
    }
    case "new-object":
      if (items.length === 1) return newObject(first ?? null, new PickleTuple([]), reader, offset);
      break;
    case "set":
      if (items.length === 0) return new Set();
      if (items.length === 1 && Array.isArray(first)) return new Set(first);
      break;
    case "encode":
      if (typeof first === "string" && second === "latin1") return Buffer.from(first, "latin1");
      break;
    case "bytes":
      if (items.length === 0) return new Uint8Array();
      break;
    case "bytearray":
      if (items.length === 0) return new Uint8Array();
      if (items.length === 1 && first instanceof Uint8Array) return first;
      if (items.length === 2 && typeof first === "string" && second === "latin-1") return Buffer.from(first, "latin1");
      break;
  }
  throw refuseCall(callable, reader, offset);
}
