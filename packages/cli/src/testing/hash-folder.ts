import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { hashText } from "@rag-ft/core";

/** Every file under a folder, by its path in it. */
export async function readFolder(folder: string): Promise<Map<string, Buffer>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const files = new Map<string, Buffer>();
  for (const path of paths.sort()) files.set(relative(folder, path), await readFile(path));
  return files;
}

/** Path → hash of every file under a folder: equal before and after when nothing was touched. */
export async function hashFolder(folder: string): Promise<Record<string, string>> {
  const files = await readFolder(folder);
  return Object.fromEntries([...files].map(([path, bytes]) => [path, hashText(bytes.toString("latin1"))]));
}
