import { ByteReader, narrowInteger } from "./byte-reader.js";
import { newObject, reduce } from "./construct.js";
import { allowedGlobal } from "./globals.js";
import { HIGHEST_PROTOCOL, OPCODE, REFUSED_OPCODES } from "./opcodes.js";
import { PickleStack } from "./stack.js";
import { describeValue, type PickleGlobal, PickleObject, PickleTuple, type PickleValue } from "./values.js";

function resolveGlobal(module: string, name: string, reader: ByteReader, offset: number): PickleGlobal {
  const found = allowedGlobal(module, name);
  if (found) return found;
  throw reader.error(
    `the pickle refers to ${module}.${name}, which is neither the document class nor plain data. Nothing was run. ` +
      "If the file is from someone else, do not load it in Python; if it is yours, save the passages as " +
      "local_rqa.schema.document.Document objects or as documents.jsonl.",
    offset,
  );
}

/** Text of protocol 0: bytes are Latin-1, other characters are written as \uXXXX or \UXXXXXXXX. */
function unescapeRawUnicode(text: string): string {
  return text.replace(/\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})/g, (whole, short?: string, long?: string) => {
    const code = Number.parseInt(short ?? long ?? "", 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

function parseInteger(text: string, reader: ByteReader): number | bigint {
  const digits = text.endsWith("L") ? text.slice(0, -1) : text;
  if (!/^-?\d+$/.test(digits)) throw reader.error(`an integer is expected, found ${JSON.stringify(text)}.`);
  return narrowInteger(BigInt(digits));
}

function parseFloat64(text: string, reader: ByteReader): number {
  const special: Record<string, number> = {
    nan: Number.NaN,
    inf: Number.POSITIVE_INFINITY,
    "-inf": Number.NEGATIVE_INFINITY,
  };
  const value = Object.hasOwn(special, text) ? special[text] : text.trim() === "" ? undefined : Number(text);
  if (value === undefined || (Number.isNaN(value) && text !== "nan")) {
    throw reader.error(`a number is expected, found ${JSON.stringify(text)}.`);
  }
  return value;
}

/**
 * Reads one pickle without running anything. Own code for its bounds (`limits.ts`) and for messages that name the byte: an interpreter of the opcodes that CPython's pickler emits in protocols
 * 0 to 5, which knows the document class, the helpers of `globals.ts` and plain data.
 *
 * @param path - for messages
 * @throws DataError with the byte's offset for a truncated or damaged file, and for any other class or call
 */
export function unpickle(bytes: Buffer, path: string): PickleValue {
  const reader = new ByteReader(bytes, path);
  const stack = new PickleStack(reader);

  const listOnTop = (): PickleValue[] => {
    const value = stack.peek();
    if (!Array.isArray(value)) throw reader.error(`items are added to a ${describeValue(value)} as if to a list.`);
    return value;
  };
  const addPairs = (target: PickleValue, pairs: readonly PickleValue[]): void => {
    if (!(target instanceof Map)) throw reader.error(`keys are set on a ${describeValue(target)} as if on a dict.`);
    if (pairs.length % 2 !== 0) throw reader.error("a dict has a key without a value. The pickle is damaged.");
    for (let i = 0; i < pairs.length; i += 2) target.set(pairs[i] ?? null, pairs[i + 1] ?? null);
  };
  const pushTuple = (size: number): void => {
    const items: PickleValue[] = [];
    for (let i = 0; i < size; i++) items.unshift(stack.pop());
    stack.push(new PickleTuple(items));
  };

  for (;;) {
    const offset = reader.offset;
    const code = reader.uint8();
    switch (code) {
      case OPCODE.PROTO: {
        const protocol = reader.uint8();
        if (protocol > HIGHEST_PROTOCOL) {
          throw reader.error(`pickle protocol ${protocol}; 0 to ${HIGHEST_PROTOCOL} are known.`, offset);
        }
        break;
      }
      case OPCODE.FRAME:
        reader.startFrame();
        break;
      case OPCODE.STOP: {
        const value = stack.pop();
        if (stack.size > 0) throw reader.error("values are left over at the end. The pickle is damaged.", offset);
        return value;
      }

      case OPCODE.NONE:
        stack.push(null);
        break;
      case OPCODE.NEWTRUE:
        stack.push(true);
        break;
      case OPCODE.NEWFALSE:
        stack.push(false);
        break;
      case OPCODE.INT: {
        const text = reader.line();
        stack.push(text === "01" ? true : text === "00" ? false : parseInteger(text, reader));
        break;
      }
      case OPCODE.LONG:
        stack.push(parseInteger(reader.line(), reader));
        break;
      case OPCODE.BININT:
        stack.push(reader.int32());
        break;
      case OPCODE.BININT1:
        stack.push(reader.uint8());
        break;
      case OPCODE.BININT2:
        stack.push(reader.uint16());
        break;
      case OPCODE.LONG1:
        stack.push(reader.integer(reader.uint8()));
        break;
      case OPCODE.LONG4:
        stack.push(reader.integer(reader.uint32()));
        break;
      case OPCODE.FLOAT:
        stack.push(parseFloat64(reader.line(), reader));
        break;
      case OPCODE.BINFLOAT:
        stack.push(reader.float64BigEndian());
        break;

      case OPCODE.UNICODE:
        stack.push(unescapeRawUnicode(reader.line(bytes.length, "latin1")));
        break;
      case OPCODE.SHORT_BINUNICODE:
        stack.push(reader.text(reader.uint8()));
        break;
      case OPCODE.BINUNICODE:
        stack.push(reader.text(reader.uint32()));
        break;
      case OPCODE.BINUNICODE8:
        stack.push(reader.text(reader.length64()));
        break;
      case OPCODE.SHORT_BINBYTES:
        stack.push(reader.take(reader.uint8()));
        break;
      case OPCODE.BINBYTES:
        stack.push(reader.take(reader.uint32()));
        break;
      case OPCODE.BINBYTES8:
      case OPCODE.BYTEARRAY8:
        stack.push(reader.take(reader.length64()));
        break;

      case OPCODE.MARK:
        stack.mark();
        break;
      case OPCODE.POP:
        stack.pop();
        break;
      case OPCODE.POP_MARK:
        stack.popMark();
        break;
      case OPCODE.DUP:
        stack.push(stack.peek());
        break;
      case OPCODE.EMPTY_TUPLE:
        pushTuple(0);
        break;
      case OPCODE.TUPLE1:
        pushTuple(1);
        break;
      case OPCODE.TUPLE2:
        pushTuple(2);
        break;
      case OPCODE.TUPLE3:
        pushTuple(3);
        break;
      case OPCODE.TUPLE:
        stack.push(new PickleTuple(stack.popMark()));
        break;
      case OPCODE.EMPTY_LIST:
        stack.push([]);
        break;
      case OPCODE.LIST:
        stack.push(stack.popMark());
        break;
      case OPCODE.APPEND: {
        const item = stack.pop();
        listOnTop().push(item);
        break;
      }
      case OPCODE.APPENDS: {
        const items = stack.popMark();
        const list = listOnTop();
        for (const item of items) list.push(item);
        break;
      }
      case OPCODE.EMPTY_DICT:
        stack.push(new Map());
        break;
      case OPCODE.DICT: {
        const dict = new Map<PickleValue, PickleValue>();
        addPairs(dict, stack.popMark());
        stack.push(dict);
        break;
      }
      case OPCODE.SETITEM: {
        const value = stack.pop();
        const key = stack.pop();
        addPairs(stack.peek(), [key, value]);
        break;
      }
      case OPCODE.SETITEMS: {
        const pairs = stack.popMark();
        addPairs(stack.peek(), pairs);
        break;
      }
      case OPCODE.EMPTY_SET:
        stack.push(new Set());
        break;
      case OPCODE.FROZENSET:
        stack.push(new Set(stack.popMark()));
        break;
      case OPCODE.ADDITEMS: {
        const items = stack.popMark();
        const set = stack.peek();
        if (!(set instanceof Set)) throw reader.error(`items are added to a ${describeValue(set)} as if to a set.`);
        for (const item of items) set.add(item);
        break;
      }

      case OPCODE.PUT:
        stack.put(Number(parseInteger(reader.line(), reader)), stack.peek());
        break;
      case OPCODE.BINPUT:
        stack.put(reader.uint8(), stack.peek());
        break;
      case OPCODE.LONG_BINPUT:
        stack.put(reader.uint32(), stack.peek());
        break;
      case OPCODE.MEMOIZE:
        stack.memoize();
        break;
      case OPCODE.GET:
        stack.push(stack.get(Number(parseInteger(reader.line(), reader))));
        break;
      case OPCODE.BINGET:
        stack.push(stack.get(reader.uint8()));
        break;
      case OPCODE.LONG_BINGET:
        stack.push(stack.get(reader.uint32()));
        break;

      case OPCODE.GLOBAL: {
        const module = reader.line();
        stack.push(resolveGlobal(module, reader.line(), reader, offset));
        break;
      }
      case OPCODE.STACK_GLOBAL: {
        const name = stack.popString("a class's name");
        stack.push(resolveGlobal(stack.popString("a module's name"), name, reader, offset));
        break;
      }
      case OPCODE.NEWOBJ_EX: {
        const keywords = stack.pop();
        const args = stack.pop();
        if (!(keywords instanceof Map) || keywords.size > 0) {
          throw reader.error(
            "a document is created with keyword arguments, which CPython never writes for it.",
            offset,
          );
        }
        stack.push(newObject(stack.pop(), args, reader, offset));
        break;
      }
      case OPCODE.NEWOBJ: {
        const args = stack.pop();
        stack.push(newObject(stack.pop(), args, reader, offset));
        break;
      }
      case OPCODE.REDUCE: {
        const args = stack.pop();
        stack.push(reduce(stack.pop(), args, reader, offset));
        break;
      }
      case OPCODE.BUILD: {
        const state = stack.pop();
        const target = stack.peek();
        if (!(target instanceof PickleObject)) {
          throw reader.error(`a state is set on a ${describeValue(target)}; only documents have one.`, offset);
        }
        target.state = state;
        break;
      }
      default: {
        const name = REFUSED_OPCODES[code];
        throw reader.error(
          name
            ? `opcode ${name} is not read: no document database needs it.`
            : `unknown opcode 0x${code.toString(16).padStart(2, "0")}. This is no pickle, or it is damaged.`,
          offset,
        );
      }
    }
  }
}
