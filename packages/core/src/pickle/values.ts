/** A class or function that the file names and that is on the list of those allowed; never looked up or run. */
export class PickleGlobal {
  constructor(
    readonly module: string,
    readonly name: string,
    readonly role: "document" | "object" | "reconstructor" | "new-object" | "set" | "bytes" | "bytearray" | "encode",
  ) {}

  toString(): string {
    return `${this.module}.${this.name}`;
  }
}

/** A tuple; JavaScript arrays stand for lists. */
export class PickleTuple {
  constructor(readonly items: readonly PickleValue[]) {}
}

/** An instance of the document class: what the file would have put into its `__dict__`. */
export class PickleObject {
  state: PickleValue = null;
  constructor(
    readonly type: PickleGlobal,
    readonly offset: number,
  ) {}
}

/** Python data as read: lists are arrays, dicts are Maps, integers beyond 2^53 are bigints. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleValue[]
  | PickleTuple
  | Map<PickleValue, PickleValue>
  | Set<PickleValue>
  | PickleObject
  | PickleGlobal;

/** Python's name of a value's type, for messages. */
export function describeValue(value: PickleValue): string {
  if (value === null) return "None";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "number" || typeof value === "bigint") return "number";
  if (typeof value === "string") return "str";
  if (Array.isArray(value)) return "list";
  if (value instanceof PickleTuple) return "tuple";
  if (value instanceof Map) return "dict";
  if (value instanceof Set) return "set";
  if (value instanceof Uint8Array) return "bytes";
  return value instanceof PickleObject ? String(value.type) : `class ${value}`;
}
