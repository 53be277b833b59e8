import { readFile } from "node:fs/promises";
import { DataError, describeIssues } from "@rag-ft/core";
import type { z } from "zod";

/** A JSON file of sentence-transformers, checked; undefined when there is none. */
export async function readOptional<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new DataError(`${path}: not valid JSON (${(cause as Error).message}).`, { cause });
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    throw new DataError(`${path}: not what sentence-transformers writes: ${describeIssues(parsed.error)}.`, {
      cause: parsed.error,
    });
  }
  return parsed.data;
}
