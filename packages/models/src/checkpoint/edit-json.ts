import { readFile } from "node:fs/promises";
import { DataError, writeFileAtomic } from "@rag-ft/core";

/** Marks numbers whose spelling JSON.stringify would not keep, such as 2.0 and 1e-05. No JSON text of a file has this character unescaped. */
const MARK = "\u0001";
const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const MARKED = /"\\u0001([^"]*)"/g;

/**
 * The text of a JSON object, changed by `edit`; numbers that stay are spelled as before: Python's transformers refuses a config whose 2.0 has become
 * 2.
 *
 * @throws DataError when the text, of the file `path`, is no JSON object.
 */
export function editedJson(
  path: string,
  text: string,
  edit: (value: Readonly<Record<string, unknown>>) => Record<string, unknown>,
): string {
  const marked = text.replace(STRING_OR_NUMBER, (token) =>
    token.startsWith('"') || String(Number(token)) === token ? token : JSON.stringify(MARK + token),
  );
  let value: unknown;
  try {
    JSON.parse(text);
    value = JSON.parse(marked);
  } catch (cause) {
    throw new DataError(`${path}: not valid JSON (${(cause as Error).message}).`, { cause });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new DataError(`${path}: expected a JSON object.`);
  }
  return `${JSON.stringify(edit(value as Record<string, unknown>), null, 2).replace(MARKED, "$1")}\n`;
}

/** Changes a file that holds a JSON object, as `editedJson` does. */
export async function editJsonFile(
  path: string,
  edit: (value: Readonly<Record<string, unknown>>) => Record<string, unknown>,
): Promise<void> {
  await writeFileAtomic(path, editedJson(path, await readFile(path, "utf8"), edit));
}
