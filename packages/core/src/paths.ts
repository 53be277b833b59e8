import { readFile, stat } from "node:fs/promises";
import { resolve, sep } from "node:path";
import type { z } from "zod";
import { DataError } from "./errors.js";

/** What stands at a path, links followed; undefined when there is nothing that can be looked at, or it is neither. */
export async function pathKind(path: string): Promise<"file" | "folder" | undefined> {
  const info = await stat(path).catch(() => undefined);
  return info?.isDirectory() ? "folder" : info?.isFile() ? "file" : undefined;
}

/** Whether `path` is `folder` or lies in it. */
export function isWithin(path: string, folder: string): boolean {
  const [inner, outer] = [resolve(path), resolve(folder)];
  return inner === outer || inner.startsWith(outer.endsWith(sep) ? outer : outer + sep);
}

/** The text of a file; undefined when the file, or a folder on its way, is not there. */
export async function readTextIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}

/**
 * What a JSON file holds; undefined when it is not there.
 *
 * @param problem What is wrong where it holds anything else, and what to do; said after the path.
 * @throws DataError when it is no JSON, or none that fits the schema.
 */
export async function readJsonIfThere<T>(path: string, schema: z.ZodType<T>, problem: string): Promise<T | undefined> {
  const text = await readTextIfThere(path);
  if (text === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new DataError(`${path}: ${problem}`, { cause });
  }
}
