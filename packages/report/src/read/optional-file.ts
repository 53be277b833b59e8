import { readFile } from "node:fs/promises";
import { DataError, pathKind, readJsonl } from "@rag-ft/core";
import type { z } from "zod";

async function isThere(path: string): Promise<boolean> {
  return (await pathKind(path)) === "file";
}

/** The rows of a JSONL file; undefined when it is not there. */
export async function readRows<T>(path: string, schema: z.ZodType<T>, what: string): Promise<T[] | undefined> {
  return (await isThere(path)) ? readJsonl(path, schema, { what, allowEmpty: true }) : undefined;
}

/** A JSON file's value; undefined when it is not there. */
export async function readValue<T>(path: string, schema: z.ZodType<T>, what: string): Promise<T | undefined> {
  if (!(await isThere(path))) return undefined;
  try {
    return schema.parse(JSON.parse(await readFile(path, "utf8")));
  } catch (cause) {
    throw new DataError(`${path}: not ${what}. Run the stage that writes it again.`, { cause });
  }
}
