import type { DataError } from "../errors.js";
import { PICKLE_LIMITS } from "./limits.js";
import { describeValue, PickleTuple, type PickleValue } from "./values.js";

/**
 * Python data as JSON data: tuples and sets become arrays, keys strings, bytes Base64 text, `nan` and `inf` null (JSON has none).
 *
 * @param fail - makes the error for a value that JSON cannot hold
 */
export function toPlainData(root: PickleValue, fail: (message: string) => DataError): unknown {
  let values = 0;
  const convert = (value: PickleValue, depth: number): unknown => {
    if (++values > PICKLE_LIMITS.valuesPerDocument) {
      throw fail(`more than ${PICKLE_LIMITS.valuesPerDocument} values. This is no passage's metadata.`);
    }
    if (depth > PICKLE_LIMITS.valueDepth) {
      throw fail(`containers nested more than ${PICKLE_LIMITS.valueDepth} deep, or one that holds itself.`);
    }
    if (value === null || typeof value === "string" || typeof value === "boolean") return value;
    if (typeof value === "number") return Number.isFinite(value) ? value : null;
    if (Array.isArray(value)) return value.map((item) => convert(item, depth + 1));
    if (value instanceof PickleTuple) return value.items.map((item) => convert(item, depth + 1));
    if (value instanceof Set) return [...value].map((item) => convert(item, depth + 1));
    if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
    if (value instanceof Map) {
      // fromEntries defines keys rather than assigning them, so that a key named __proto__ stays a mere key.
      return Object.fromEntries([...value].map(([key, item]) => [keyOf(key), convert(item, depth + 1)]));
    }
    if (typeof value === "bigint") throw fail(`the integer ${value} is too large for JSON. Store it as text.`);
    throw fail(`a ${describeValue(value)} where plain data is expected.`);
  };
  const keyOf = (key: PickleValue): string => {
    if (typeof key === "string") return key;
    if (key === null || typeof key === "number" || typeof key === "boolean") return String(key);
    throw fail(`a key that is a ${describeValue(key)}; expected a str.`);
  };
  return convert(root, 0);
}
