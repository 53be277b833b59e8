import { extname } from "node:path";
import type { Reader } from "./reader.js";

/** The formats that are read: a row each. */
export const READERS: readonly Reader[] = [];

/** The reader for a file by its extension; undefined when its kind is not read. */
export function readerOf(path: string): Reader | undefined {
  const extension = extname(path).toLowerCase();
  return READERS.find(({ extensions }) => extensions.includes(extension));
}
