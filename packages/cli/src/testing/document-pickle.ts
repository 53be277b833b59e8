import type { Document } from "@rag-ft/core";

function text(value: string): Buffer {
  const bytes = Buffer.from(value, "utf8");
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([Buffer.from("X"), length, bytes]);
}

function value(item: unknown): Buffer {
  if (typeof item === "string") return text(item);
  if (typeof item === "number" && Number.isInteger(item)) return Buffer.from(`I${item}\n`);
  if (Array.isArray(item)) return Buffer.concat([Buffer.from("]("), ...item.map(value), Buffer.from("e")]);
  if (typeof item === "object" && item !== null) {
    const pairs = Object.entries(item).flatMap(([key, entry]) => [text(key), value(entry)]);
    return Buffer.concat([Buffer.from("}("), ...pairs, Buffer.from("u")]);
  }
  throw new Error(`The pickle writer of the tests has no way to write ${typeof item}.`);
}

/** A database as the reference pickles it (protocol 2): a list of `Document` objects with their state. */
export function documentPickle(documents: readonly Document[]): Buffer {
  const NEWOBJ = 0x81;
  const object = (document: Document): Buffer =>
    Buffer.concat([
      Buffer.from("clocal_rqa.schema.document\nDocument\n)"),
      Buffer.from([NEWOBJ]),
      value({ ...document }),
      Buffer.from("b"),
    ]);
  return Buffer.concat([Buffer.from([0x80, 2]), Buffer.from("]("), ...documents.map(object), Buffer.from("e.")]);
}

/** A pickle that would run a shell command when Python loads it. */
export function harmfulPickle(command: string): Buffer {
  return Buffer.concat([Buffer.from("cposix\nsystem\n("), text(command), Buffer.from("tR.")]);
}
